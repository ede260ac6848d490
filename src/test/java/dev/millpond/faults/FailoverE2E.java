package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A synchronous standby takes the place of a lost primary. */
@Tag("whole")
@Timeout(180)
class FailoverE2E {

  @Test
  void nothingIsLostWhenTheStandbyIsPromoted() throws IOException, SQLException {
    try (Stage stage = Stage.withStandby("failover");
        Trial trial = new Trial(stage, "P13", "primary lost, its synchronous standby promoted")) {
      trial.load().awaitAcknowledged(300);
      long lost = System.nanoTime();
      trial.broken(
          "primary lost",
          () -> {
            stage.failOver();
            trial.awaitAcknowledged(50);
          });
      assertThat(Duration.ofNanos(System.nanoTime() - lost)).isLessThan(Duration.ofSeconds(15));
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F1")).as("submits without an answer").isPositive();
    }
  }
}
