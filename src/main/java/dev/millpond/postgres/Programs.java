package dev.millpond.postgres;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** PostgreSQL's unpacked programs. */
record Programs(Path directory) {

  /** What a program said; the exit code is 0 for success. */
  record Result(int exitCode, String output) {

    /** Where the errors are: initdb tells its whole story first. */
    String lastLines() {
      List<String> lines = output.lines().toList();
      return String.join(
          System.lineSeparator(), lines.subList(Math.max(0, lines.size() - 5), lines.size()));
    }
  }

  /** The major version, from the file by which initdb itself checks that. */
  String major() throws IOException {
    try (var lines = Files.lines(directory.resolve("share/postgresql/postgres.bki"))) {
      return lines.findFirst().orElseThrow().replace("# PostgreSQL ", "").strip();
    }
  }

  /** Runs a program to its end, which must come in time. */
  Result run(Duration atMost, String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (weAreRoot()) {
      // PostgreSQL refuses root. In a user namespace without a mapping we are nobody by name, and
      // still the owner of our files.
      command.addAll(List.of("unshare", "-U"));
    }
    command.add(directory.resolve("bin").resolve(program).toString());
    command.addAll(List.of(arguments));
    Process process = begin(program, command);
    try {
      process.getOutputStream().close();
      // None of them says more than the pipe holds, so reading can wait for the end.
      if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException(program + " did not end within " + atMost.toSeconds() + " s");
      }
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (output.startsWith("unshare:")) {
        throw cannotRun(program, output, null);
      }
      return new Result(process.exitValue(), output);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + program + " ran", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process begin(String program, List<String> command) {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw cannotRun(program, e.getMessage(), e);
    }
  }

  private static StartFailure cannotRun(
      String program, @Nullable String reason, @Nullable Exception cause) {
    return new StartFailure(
        "PostgreSQL's %s cannot be run here: %s".formatted(program, reason),
        "It needs glibc (Alpine has another C library) and, since it refuses root, a user other"
            + " than root or a working `unshare -U`. Provide that, or name a PostgreSQL server in"
            + " spring.datasource.url.",
        cause);
  }

  private static boolean weAreRoot() throws IOException {
    Path self = Path.of("/proc/self");
    return Files.exists(self) && Integer.valueOf(0).equals(Files.getAttribute(self, "unix:uid"));
  }
}
