package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Skipped;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.util.FileSystemUtils;

/**
 * The previous commit and this one on one database, while clients go on: with its migrations, if it
 * brings any.
 */
@Tag("whole")
@Timeout(600)
class UpgradeE2E {

  private static final Path PREVIOUS = Path.of("target", "previous").toAbsolutePath();

  /** Which version it is; {@code -Dfaults.previous=…} names another. */
  private static final String BEFORE = System.getProperty("faults.previous", "HEAD~1");

  private static final Duration BUILD = Duration.ofMinutes(5);

  @Test
  void nodesAreReplacedOneByOne() throws IOException, SQLException {
    Files.createDirectories(Path.of("target", "faults"));
    Skipped.unless(
        run(Path.of(""), "git", "rev-parse", "--verify", BEFORE),
        "no previous commit here: no upgrade was tried");
    try (Stage stage = Stage.of("upgrade", 2, program(previous()));
        Trial trial = new Trial(stage, "D1", "the previous commit's nodes replaced one by one")) {
      trial.load().awaitAcknowledged(200);
      for (int n = 0; n < stage.size(); n++) {
        MillpondProcess node = stage.node(n);
        node.term();
        node.awaitExit(Duration.ofSeconds(30));
        trial.died(n, () -> node.start(MillpondProcess.quick()));
        // Both versions serve, side by side.
        trial.awaitAcknowledged(300);
      }
      trial.judge();
      assertThat(trial.count("F2")).as("submits refused").isZero();
    }
  }

  private static List<String> program(Path jar) {
    return List.of("-XX:+UseSerialGC", "-Xmx512m", "-jar", jar.toString());
  }

  /** The runnable jar of the previous commit, built from a checkout of its own. */
  private static Path previous() throws IOException {
    FileSystemUtils.deleteRecursively(PREVIOUS);
    assertThat(run(Path.of(""), "git", "clone", "-q", "--shared", ".", PREVIOUS.toString()))
        .isTrue();
    assertThat(run(PREVIOUS, "git", "checkout", "-q", "--detach", BEFORE)).isTrue();
    assertThat(run(PREVIOUS, "./mvnw", "-B", "-q", "package", "-DskipTests", "-Dexec.skip"))
        .isTrue();
    try (Stream<Path> files = Files.list(PREVIOUS.resolve("target"))) {
      return files.filter(file -> file.toString().endsWith("-exec.jar")).findFirst().orElseThrow();
    }
  }

  private static boolean run(Path directory, String... command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toAbsolutePath().toFile())
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(new File("target/faults/previous.log")))
            .start();
    try {
      return process.waitFor(BUILD.toSeconds(), TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      process.destroyForcibly();
    }
  }
}
