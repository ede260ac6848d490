package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.SharedMillpond;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples, run by a real client of .http files, so that they never lie. */
@Timeout(180)
@ExtendWith(SharedMillpond.class)
class HttpExamplesE2E {

  private static final String CLIENT = "httpyac@6.16.7";
  private static final Path EXAMPLES = Path.of("http-examples");
  private static final String HOST = "@host = http://localhost:8080\n";

  static List<String> examples() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".http"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void eachAnswerIsAsTheExampleSays(String name, MillpondProcess service) throws Exception {
    String example = Files.readString(EXAMPLES.resolve(name));
    assertThat(example).contains(HOST);
    assertThat(count(example, "\n# @expect ")).isEqualTo(count(example, "\n### ")).isPositive();
    Run run = run(name, example.replace(HOST, "@host = " + service.url() + "\n"));
    assertThat(run.exitCode()).as(run.output()).isZero();
  }

  /** Or a client that does not read the expectations would let everything pass. */
  @Test
  void anAnswerThatIsNotAsTheExampleSaysFailsTheRun(MillpondProcess service) throws Exception {
    URI health = service.url().resolve("/actuator/health");
    Run run = run("wrong.http", "### Wrong\n# @expect status == 418\nGET " + health + "\n");
    assertThat(run.exitCode()).as(run.output()).isNotZero();
    assertThat(run.output()).contains("418", "got 200");
  }

  private record Run(int exitCode, String output) {}

  private static Run run(String name, String content) throws Exception {
    Skipped.unless(hasNpx(), "no npx on this machine, so " + name + " was not run");
    Path directory = Files.createDirectories(Path.of("target", "http-examples"));
    Files.writeString(
        directory.resolve(".httpyac.js"), Files.readString(EXAMPLES.resolve(".httpyac.js")));
    Files.writeString(directory.resolve(name), content);
    Path output = directory.resolve(name + ".log");
    Process process =
        new ProcessBuilder("npx", "--yes", CLIENT, "send", name, "--all", "--output", "short")
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(150, TimeUnit.SECONDS)).as("%s ended in time", name).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Run(process.exitValue(), Files.readString(output));
  }

  private static boolean hasNpx() throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder("npx", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static long count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1L;
  }
}
