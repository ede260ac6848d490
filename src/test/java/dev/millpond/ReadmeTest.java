package dev.millpond;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the README names exists, and what a user can set or alert on stands in the README. */
class ReadmeTest {

  private static final Path MAIN = Path.of("src/main/java");
  private static final Path TESTS = Path.of("src/test/java");

  private final String readme = read(Path.of("README.md"));
  private final Settings settings = Settings.onTheClassPath();

  @Test
  void eachSettingInTheTableExists() {
    assertThat(settingsTable().keySet())
        .isNotEmpty()
        .allSatisfy(name -> assertThat(settings.defaultOf(name)).as(name).isPresent());
  }

  @Test
  void eachSettingOfOursStandsInTheTable() {
    assertThat(settingsTable().keySet()).containsAll(settings.startingWith("millpond.").keySet());
  }

  @Test
  void eachSettingThatTheCodeAsksForByNameIsListedInTheJar() {
    // Records are listed by Boot's processor; what is read with @Value must be added by hand.
    assertThat(found(MAIN, Pattern.compile("\\$\\{(millpond\\.[a-z.-]+)")))
        .isSubsetOf(settings.startingWith("millpond.").keySet());
  }

  @Test
  void theDefaultsAgree() {
    Map<String, String> table = settingsTable();
    settings
        .startingWith("millpond.")
        .forEach(
            (name, value) -> {
              if (!value.isEmpty()) {
                assertThat(table).containsEntry(name, value);
              }
            });
  }

  @Test
  void theMetersInTheTableAreThoseInTheCode() {
    Set<String> ours =
        new TreeSet<>(
            found(
                MAIN,
                Pattern.compile(
                    "(?<=meter|builder|counter|timer|gauge|summary)\\(\\s*\"(millpond\\.[a-z.]+)\"")));
    Set<String> told =
        table("meters").stream()
            .map(ReadmeTest::meter)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(ours).isNotEmpty();
    assertThat(told).containsAll(ours).allSatisfy(name -> assertThat(ours).contains(name));
  }

  @Test
  void eachTestThatProvesAPromiseExists() throws IOException {
    List<String> named =
        Pattern.compile("`([A-Z][A-Za-z]*(Test|IT|E2E))` \\|")
            .matcher(readme)
            .results()
            .map(result -> result.group(1))
            .toList();
    assertThat(named).isNotEmpty();
    try (Stream<Path> files = Files.walk(TESTS)) {
      assertThat(files.map(file -> file.getFileName().toString().replace(".java", "")))
          .containsAll(named);
    }
  }

  @Test
  void eachFileThatItLinksToExists() {
    List<String> links =
        Pattern.compile("]\\(([^):#]+)\\)").matcher(readme).results().map(r -> r.group(1)).toList();
    assertThat(links).isNotEmpty().allSatisfy(link -> assertThat(Path.of(link)).exists());
  }

  @Test
  void theRunnableJarIsNamedAsTheBuildNamesIt() {
    String version = inTheBuild("<artifactId>millpond</artifactId>\\s*<version>(.*?)<");
    assertThat(readme).contains("target/millpond-" + version + "-exec.jar");
  }

  @Test
  void theGeneratorOfClientsIsTheOneThatTheTestsRun() {
    String version = inTheBuild("<openapi-generator.version>(.*?)<");
    assertThat(readme).contains("openapi-generator-cli:" + version + "`");
  }

  private static String inTheBuild(String pattern) {
    return Pattern.compile(pattern)
        .matcher(read(Path.of("pom.xml")))
        .results()
        .findFirst()
        .orElseThrow()
        .group(1);
  }

  /** Name and default. */
  private Map<String, String> settingsTable() {
    Map<String, String> rows = new TreeMap<>();
    for (String row : table("settings")) {
      String[] cells = row.split("\\|", -1);
      rows.put(cells[1].strip().replace("`", ""), cells[2].strip());
    }
    return rows;
  }

  /** The rows that begin with a name, between the two comments. */
  private List<String> table(String name) {
    int start = readme.indexOf("<!-- " + name + ":");
    int end = readme.indexOf("<!-- end of " + name + " -->");
    assertThat(start).isNotNegative().isLessThan(end);
    return readme.substring(start, end).lines().filter(row -> row.startsWith("| `")).toList();
  }

  /** From Prometheus' spelling in a row to ours. */
  private static String meter(String row) {
    return row.replaceFirst("\\| `([a-z_]+)`.*", "$1")
        .replaceFirst("_(total|seconds|seconds_max|max)$", "")
        .replace('_', '.');
  }

  private static Set<String> found(Path directory, Pattern pattern) {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .flatMap(file -> pattern.matcher(read(file)).results())
          .map(result -> result.group(1))
          .collect(Collectors.toCollection(TreeSet::new));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
