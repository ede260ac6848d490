package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Three nodes under load, and whatever can happen to them and their database, at random. How long
 * and by which seed is told by {@code -Dfaults.seconds} and {@code -Dfaults.seed}.
 */
@Timeout(3_600)
class RandomFaultsE2E {

  private static final int NODES = 3;
  private static final Logger log = LoggerFactory.getLogger(RandomFaultsE2E.class);

  private final long seed = Long.getLong("faults.seed", 1);
  private final Duration length = Duration.ofSeconds(Long.getLong("faults.seconds", 30));
  private final Random random = new Random(seed);

  @Test
  void nothingIsLostWhateverHappens() throws IOException, SQLException {
    try (Stage stage = new Stage("random", NODES, "");
        Trial trial =
            new Trial(
                stage,
                "R",
                "faults at random for %d s, seed %d".formatted(length.toSeconds(), seed))) {
      trial.load().awaitAcknowledged(100);
      long end = System.nanoTime() + length.toNanos();
      while (System.nanoTime() - end < 0) {
        int first = random.nextInt(NODES);
        Runnable one = fault(stage, trial, first);
        Runnable another =
            random.nextInt(3) == 0 ? fault(stage, trial, (first + 1) % NODES) : () -> {};
        var beside = CompletableFuture.runAsync(another);
        try {
          one.run();
        } finally {
          beside.join();
        }
        pause(random.nextInt(2_000));
      }
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F4")).as("runs beyond the first of a job").isPositive();
    }
  }

  private Runnable fault(Stage stage, Trial trial, int node) {
    int length = 500 + random.nextInt(4_000);
    return switch (random.nextInt(8)) {
      case 0, 1 -> named("kill -9", node, () -> trial.kill(node));
      case 2 -> named("SIGTERM", node, () -> trial.stop(node));
      case 3, 4 -> named("SIGSTOP", node, () -> trial.standStill(node, Duration.ofMillis(length)));
      case 5 ->
          named(
              "line cut",
              node,
              () ->
                  trial.broken(
                      "line cut",
                      () -> {
                        stage.line(node).cut();
                        pause(length);
                        stage.line(node).heal();
                      }));
      case 6 ->
          named(
              "line dead",
              node,
              () ->
                  trial.broken(
                      "line dead",
                      () -> {
                        stage.line(node).goDead();
                        pause(length);
                        stage.line(node).heal();
                      }));
      default -> named("PostgreSQL stopped at once", node, () -> trial.restartPostgres(length));
    };
  }

  private static Runnable named(String what, int node, Runnable fault) {
    return () -> {
      log.info("{} (node {})", what, node);
      fault.run();
    };
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(Duration.ofMillis(millis).toNanos());
  }
}
