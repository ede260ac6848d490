package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The disk of the database is full, until somebody makes room. */
@Tag("whole")
@Timeout(180)
class FullDiskE2E {

  private static final Path DISK = Path.of("target", "e2e", "faults-disk");

  @Test
  void nothingIsLostWhileTheDiskIsFull() throws IOException, SQLException {
    Skipped.unless(mount(), "only root can mount a small disk: a full one was not tried");
    try (Stage stage = new Stage("disk", 2, "");
        Trial trial = new Trial(stage, "P6", "the database's disk full for 5 s")) {
      trial.load().awaitAcknowledged(200);
      trial.broken("disk full", () -> full(stage));
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F2")).as("submits refused").isPositive();
    } finally {
      run("umount", "-l", DISK.toString());
    }
  }

  /** The cluster with its programs needs about half of it. */
  private static boolean mount() throws IOException {
    Files.createDirectories(DISK);
    return run("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", DISK.toString());
  }

  private static void full(Stage stage) {
    Path filler = DISK.resolve("filler");
    try (OutputStream out = Files.newOutputStream(filler)) {
      byte[] block = new byte[65_536];
      while (true) {
        out.write(block);
      }
    } catch (IOException noSpaceLeft) {
      // So it should be.
    }
    LockSupport.parkNanos(Duration.ofSeconds(5).toNanos());
    try {
      Files.delete(filler);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // A server that could not write its log has ended, and whoever makes room starts it again.
    if (!answers(stage)) {
      stage.postgres().start();
    }
    await("the server answers").atMost(Duration.ofSeconds(30)).until(() -> answers(stage));
  }

  private static boolean answers(Stage stage) {
    try (Connection connection = stage.postgres().connect()) {
      return connection.isValid(5);
    } catch (SQLException away) {
      return false;
    }
  }

  private static boolean run(String... command) throws IOException {
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
