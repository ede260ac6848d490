package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Program;
import dev.millpond.testing.Program.Run;
import dev.millpond.testing.SharedMillpond;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.util.FileSystemUtils;

/**
 * Clients that are made from the OpenAPI document by the README's commands, and the examples that
 * go a round with them.
 */
@Timeout(300)
@ExtendWith(SharedMillpond.class)
class GeneratedClientsE2E {

  private static final Path ROUNDS = Path.of("http-examples", "clients");
  private static final Path GENERATOR = Path.of("target", "tools", "openapi-generator-cli.jar");
  private static final Duration LIMIT = Duration.ofMinutes(4);

  @Test
  @Tag("whole")
  void aRoundInJava(MillpondProcess service) throws IOException {
    round("Java", service);
  }

  @Test
  @Tag("whole")
  void aRoundInTypeScript(MillpondProcess service) throws IOException {
    Skipped.unless(Program.exists("npx"), "no npx here, so no TypeScript client was made");
    round("TypeScript", service);
  }

  @Test
  void aRoundInPython(MillpondProcess service) throws IOException {
    Skipped.unless(
        Program.succeeds(
            "python3 -c 'import dateutil, pydantic, urllib3; assert pydantic.VERSION >= \"2\"'"),
        "no python3 with pydantic 2, urllib3 and dateutil here, so no Python client was made");
    round("Python", service);
  }

  private static void round(String language, MillpondProcess service) throws IOException {
    Path directory = workplace(language);
    Run run =
        Program.run(
            directory, LIMIT, List.of("sh", "-ec", environment() + commands(language, service)));
    assertThat(run.exitCode()).as(run.output()).isZero();
    assertThat(run.output()).endsWith("the round is done\n");
  }

  /** A directory with all that the commands expect there. */
  private static Path workplace(String language) throws IOException {
    Path directory = Path.of("target", "clients", language);
    FileSystemUtils.deleteRecursively(directory);
    Files.createDirectories(directory);
    try (Stream<Path> rounds = Files.list(ROUNDS)) {
      for (Path round : rounds.toList()) {
        Files.copy(round, directory.resolve(round.getFileName()));
      }
    }
    Files.createSymbolicLink(
        directory.resolve(GENERATOR.getFileName()), GENERATOR.toAbsolutePath());
    return directory;
  }

  /** The JDK that runs this, started quickly, and the libraries of the tests. */
  private static String environment() {
    return """
    export PATH="%s/bin:$PATH"
    export CLASSPATH="%s"
    export JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    """
        .formatted(System.getProperty("java.home"), System.getProperty("java.class.path"));
  }

  private static String commands(String language, MillpondProcess service) throws IOException {
    Pattern block =
        Pattern.compile(
            "<!-- A client in " + language + ": .*? -->\n```\n(.*?)```", Pattern.DOTALL);
    List<String> found =
        block
            .matcher(Files.readString(Path.of("README.md")))
            .results()
            .map((MatchResult result) -> result.group(1))
            .toList();
    assertThat(found).as("the README's commands for " + language).hasSize(1);
    return found.getFirst().replace("http://localhost:8080", service.url().toString());
  }
}
