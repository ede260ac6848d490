package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Programs of this machine, such as a user of the service would call. */
public final class Program {

  private Program() {}

  /**
   * What a run left.
   *
   * @param output errors among it
   */
  public record Run(int exitCode, String output) {}

  /** Whether this machine has the command. */
  public static boolean exists(String command) {
    return succeeds("command -v " + command);
  }

  /** Whether a line of shell ends with 0. */
  public static boolean succeeds(String line) {
    try {
      Process process =
          new ProcessBuilder("sh", "-c", line)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor() == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /**
   * Runs a command to its end, and fails if that does not come in time.
   *
   * @param directory in which it runs
   */
  public static Run run(Path directory, Duration limit, List<String> command) {
    try {
      Path output = Files.createTempFile(directory, "run", ".log");
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      try {
        boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        assertThat(ended).as("ended in time, see %s", output).isTrue();
      } finally {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
      return new Run(process.exitValue(), Files.readString(output));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
