package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Program;
import dev.millpond.testing.Program.Run;
import dev.millpond.testing.SharedMillpond;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The examples, run by a real client of .http files, so that they never lie. */
@Timeout(180)
@ExtendWith(SharedMillpond.class)
class HttpExamplesE2E {

  private static final String CLIENT = "httpyac@6.16.7";
  private static final Path EXAMPLES = Path.of("http-examples");
  private static final Duration LIMIT = Duration.ofSeconds(150);
  private static final String HOST = "@host = http://localhost:8080\n";

  /** In one run of the client, which takes longer to start than for most of them. */
  @Test
  void eachAnswerIsAsTheExamplesSay(MillpondProcess service) throws Exception {
    Map<String, String> examples = new TreeMap<>();
    for (Path file : files()) {
      String example = Files.readString(file);
      assertThat(example).contains(HOST);
      assertThat(count(example, "\n# @expect ")).isEqualTo(count(example, "\n### ")).isPositive();
      examples.put(
          file.getFileName().toString(), example.replace(HOST, "@host = " + service.url() + "\n"));
    }
    Run run = run(examples);
    assertThat(run.exitCode()).as(run.output()).isZero();
    examples.values().forEach(example -> assertRan(example, run.output()));
  }

  /** The client tells of each request by its title. */
  private static void assertRan(String example, String output) {
    example
        .lines()
        .filter(line -> line.startsWith("### "))
        .forEach(title -> assertThat(output).contains(title.substring(4)));
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files.filter(file -> file.toString().endsWith(".http")).sorted().toList();
    }
  }

  /** Or a client that does not read the expectations would let everything pass. */
  @Test
  void anAnswerThatIsNotAsTheExampleSaysFailsTheRun(MillpondProcess service) throws Exception {
    URI health = service.url().resolve("/actuator/health");
    Run run = run(Map.of("wrong.http", "### Wrong\n# @expect status == 418\nGET " + health + "\n"));
    assertThat(run.exitCode()).as(run.output()).isNotZero();
    assertThat(run.output()).contains("418", "got 200");
  }

  private static Run run(Map<String, String> examples) throws IOException {
    Skipped.unless(Program.exists("npx"), "no npx on this machine, so no example was run");
    Path directory = Files.createDirectories(Path.of("target", "http-examples"));
    Files.writeString(
        directory.resolve(".httpyac.js"), Files.readString(EXAMPLES.resolve(".httpyac.js")));
    List<String> command = new ArrayList<>(List.of("npx", "--yes", CLIENT, "send"));
    for (var example : examples.entrySet()) {
      Files.writeString(directory.resolve(example.getKey()), example.getValue());
      command.add(example.getKey());
    }
    command.addAll(List.of("--all", "--output", "short"));
    return Program.run(directory, LIMIT, command);
  }

  private static long count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1L;
  }
}
