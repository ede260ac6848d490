package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Jobs with concurrency keys on two nodes that are killed, again and again; for half of {@code
 * -Dfaults.seconds}.
 */
@Timeout(3_600)
@Tag("whole")
class KeyFaultsE2E {

  private static final Duration PACE = Duration.ofMillis(30);

  private final Random random = new Random(Long.getLong("faults.seed", 1));
  private final Duration length = Duration.ofSeconds(Long.getLong("faults.seconds", 30) / 2);

  @Test
  void aKeyHoldsItsLimitAndItsOrderWhicheverNodesAreKilled() throws IOException, SQLException {
    try (Stage stage = new Stage("keys", 2, "");
        Trial trial = new Trial(stage, "I9", "concurrency keys, nodes killed at random")) {
      load(trial);
      trial.awaitAcknowledged(100);
      long end = System.nanoTime() + length.toNanos();
      while (System.nanoTime() - end < 0) {
        trial.kill(random.nextInt(2));
        LockSupport.parkNanos(Duration.ofMillis(random.nextInt(2_000)).toNanos());
      }
      trial.awaitAcknowledged(100);
      trial.judge();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isPositive();
    }
  }

  /** Some keys of limit 1, each with a client that knows its order, and one of limit 2. */
  static void load(Trial trial) {
    for (int n = 0; n < 4; n++) {
      String key = "one-" + n;
      trial.load(1, PACE, job -> job(trial, job, key, 1));
    }
    trial.load(4, PACE, job -> job(trial, job, "two", 2));
  }

  private static String job(Trial trial, int n, String key, int limit) {
    String what =
        n % 5 == 0
            ? "\"type\": \"demo.fail\", \"payload\": {\"times\": 1}, \"retry\": {\"initialDelay\":"
                + " \"PT0.1S\"}"
            : trial.effects().job(n % 7 == 0 ? 300 : 20);
    return what + ", \"concurrency\": {\"key\": \"%s\", \"limit\": %d}".formatted(key, limit);
  }
}
