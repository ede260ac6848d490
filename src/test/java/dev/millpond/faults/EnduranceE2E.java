package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is left of a long load when it is over; it lasts for {@code -Dfaults.seconds}. */
@Timeout(3_600)
@Tag("whole")
class EnduranceE2E {

  private static final Logger log = LoggerFactory.getLogger(EnduranceE2E.class);

  private final Duration length = Duration.ofSeconds(Long.getLong("faults.seconds", 30));

  /** Of the process, at rest. */
  private record Used(double threads, long files, double heap, long connections) {

    /** By a twentieth, and by what is one thing more or less. */
    boolean isNear(Used before) {
      return threads <= before.threads * 1.05 + 2
          && files <= before.files * 1.05 + 2
          && heap <= before.heap * 1.05 + (1 << 20)
          && connections <= before.connections * 1.05 + 1;
    }
  }

  @Test
  void nothingIsLeftOfALongLoad() throws IOException, SQLException {
    try (Stage stage = new Stage("endurance", 1, "")) {
      try (Trial warm = new Trial(stage, "D5", "a short load before")) {
        warm.load().awaitAcknowledged(2_000);
        warm.judge();
      }
      Used before = atRest(stage);
      try (Trial trial =
          new Trial(stage, "D5", "load for %d s, then none".formatted(length.toSeconds()))) {
        trial.load();
        long end = System.nanoTime() + length.toNanos();
        while (System.nanoTime() - end < 0) {
          trial.awaitAcknowledged(100);
        }
        trial.judge();
      }
      Used after =
          await("as little is used as before")
              .atMost(Duration.ofMinutes(3))
              .pollInterval(Duration.ofSeconds(5))
              .until(() -> used(stage), used -> used.isNear(before));
      log.info("before {}, after {}", before, after);
    }
  }

  /** Two looks that agree: pools and caches have come to rest. */
  private static Used atRest(Stage stage) {
    Used[] last = {used(stage)};
    await("at rest")
        .atMost(Duration.ofMinutes(3))
        .pollInterval(Duration.ofSeconds(5))
        .until(
            () -> {
              Used now = used(stage);
              boolean same = now.isNear(last[0]) && last[0].isNear(now);
              last[0] = now;
              return same;
            });
    return last[0];
  }

  private static Used used(Stage stage) {
    long pid = stage.node(0).pid();
    try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      collectGarbage(pid);
      return new Used(
          stage.node(0).api().metric("jvm_threads_live_threads"),
          files.count(),
          stage.node(0).api().metric("jvm_gc_live_data_size_bytes"),
          connections(stage));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void collectGarbage(long pid) throws IOException {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    Process process =
        new ProcessBuilder(jcmd.toString(), Long.toString(pid), "GC.run")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectErrorStream(true)
            .start();
    assertThat(process.onExit().join().exitValue()).isZero();
  }

  private static long connections(Stage stage) {
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select count(*) from pg_stat_activity where application_name like 'millpond%'")) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
