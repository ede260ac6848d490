package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node whose clock is wrong beside one whose clock is right. */
@Tag("whole")
@Timeout(300)
class ClockE2E {

  @Test
  void theDatabasesClockJudges() throws IOException, SQLException {
    Skipped.unless(WrongClock.isInstalled(), "no libfaketime here: no clock was wrong");
    try (Stage stage = Stage.withWrongClock("clock");
        Trial trial = new Trial(stage, "P17", "a node's clock an hour ahead")) {
      trial.load().awaitAcknowledged(300);
      assertThat(submittedInTurns(stage)).isSorted();
      // Also through the life of a lease that only the right one could renew in time.
      trial.load(1, Duration.ofMillis(200), n -> trial.effects().job(4_000)).awaitAcknowledged(300);
      trial.judge();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isZero();
    }
  }

  /** When jobs came that were submitted one after the other, to the nodes in turns. */
  private static List<Instant> submittedInTurns(Stage stage) throws IOException {
    List<Instant> times = new ArrayList<>();
    for (int n = 0; n < 20; n++) {
      String id = stage.node(n % 2).api().submit("turns", "{\"type\": \"demo.noop\"}");
      // A tenth of a second is what the order between nodes is exact to.
      times.add(
          Instant.parse(stage.node(0).api().job(id).path("submittedAt").asString())
              .plusMillis(100L * n));
    }
    return times;
  }
}
