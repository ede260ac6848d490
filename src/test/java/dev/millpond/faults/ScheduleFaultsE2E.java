package dev.millpond.faults;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A schedule that fires each second on three nodes that are killed; for half of {@code
 * -Dfaults.seconds}.
 */
@Timeout(3_600)
@Tag("whole")
class ScheduleFaultsE2E {

  private final long seed = Long.getLong("faults.seed", 1);
  private final Duration length = Duration.ofSeconds(Long.getLong("faults.seconds", 30) / 2);

  @Test
  void everyDueTimeFiresOnceWhicheverNodesAreKilled() throws IOException {
    try (Stage stage = new Stage("schedules", 3, "")) {
      new EachSecond(stage, seed).run(length);
    }
  }
}
