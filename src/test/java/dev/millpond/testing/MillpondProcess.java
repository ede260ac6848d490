package dev.millpond.testing;

import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * The packaged service as a process of its own, which can be killed, stopped and started again. It
 * keeps its port and its data over restarts. Its log stays in {@code
 * target/e2e/<name>/service.log}; its data is removed at the end.
 */
public final class MillpondProcess implements AutoCloseable {

  /** For a quick start; a measurement wants the real compiler. */
  private static final String[] QUICK = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"};

  private static final Duration START = Duration.ofSeconds(90);
  private static final Duration STOP = Duration.ofSeconds(30);

  private final Path directory;
  private final List<String> program;
  private final List<String> arguments = new ArrayList<>();
  private final Map<String, String> environment = new HashMap<>();
  private final int port;
  private final Thread onExit = new Thread(this::killAll);
  private @Nullable Process process;

  /**
   * @param name of the directory for its log and data, unique among the processes of a run
   * @param properties added to the command line
   */
  public MillpondProcess(String name, Map<String, String> properties) {
    this(name, properties, quick());
  }

  /**
   * @param program the arguments of {@code java} before those of the service
   */
  public MillpondProcess(String name, Map<String, String> properties, List<String> program) {
    this.directory = Path.of("target", "e2e", name).toAbsolutePath();
    this.program = program;
    this.port = freePort();
    arguments.add("--server.port=" + port);
    arguments.add("--millpond.data-dir=" + data());
    properties.forEach((key, value) -> arguments.add("--" + key + "=" + value));
    try {
      FileSystemUtils.deleteRecursively(directory);
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(onExit);
  }

  /** Adds variables to the environment of the process. */
  public MillpondProcess with(Map<String, String> variables) {
    environment.putAll(variables);
    return this;
  }

  /** The arguments of {@code java} that start it most quickly, and more. */
  public static List<String> quick(String... options) {
    return Unpacked.program(
        Stream.concat(Arrays.stream(QUICK), Arrays.stream(options)).toArray(String[]::new));
  }

  /** The jar as it is built, run as it is. */
  public static List<String> jar(String... options) {
    List<String> program = new ArrayList<>(List.of(options));
    Collections.addAll(program, "-jar", packed().toString());
    return program;
  }

  static Path packed() {
    return Path.of(
        Objects.requireNonNull(
            System.getProperty("millpond.jar"), "the packaged jar: -Dmillpond.jar=…"));
  }

  static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** Starts the process and waits until it is ready. */
  public MillpondProcess start() {
    return start(program);
  }

  /** As {@link #start()}, with the arguments of another {@code java}. */
  public MillpondProcess start(List<String> another) {
    launch(another);
    awaitReady();
    return this;
  }

  /** Starts the process without waiting. */
  public void launch() {
    launch(program);
  }

  private void launch(List<String> program) {
    List<String> command = new ArrayList<>(List.of(java(), "--enable-native-access=ALL-UNNAMED"));
    command.addAll(program);
    command.addAll(arguments);
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log()))
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
      builder.environment().putAll(environment);
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until the process is ready; fails at once when it ends instead. */
  public void awaitReady() {
    ApiClient api = api();
    await("ready: " + log())
        .atMost(START)
        .pollInterval(Duration.ofMillis(25))
        .failFast("the process ended, see " + log(), () -> !process().isAlive())
        .until(() -> isOk(api, "/actuator/health/readiness"));
  }

  private static boolean isOk(ApiClient api, String path) {
    try {
      return api.get(path).status() == 200;
    } catch (IOException notListening) {
      return false;
    }
  }

  /** Halts the process as a crash would. */
  public void kill9() {
    process().destroyForcibly();
    awaitExit(STOP);
  }

  /** Asks the process to end, as an init system would. */
  public void term() {
    signal("TERM");
  }

  /** Freezes the process (SIGSTOP). */
  public void stop() {
    signal("STOP");
  }

  /** Lets a frozen process go on (SIGCONT). */
  public void cont() {
    signal("CONT");
  }

  private void signal(String name) {
    signal(name, process().pid());
  }

  /** Waits for the process to end, and returns its exit code. */
  public int awaitExit(Duration limit) {
    try {
      if (!process().waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("did not end within " + limit + ", see " + log());
      }
      return process().exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** The process id of the embedded PostgreSQL that belongs to this service, if it runs. */
  public Optional<Long> postgresPid() {
    return PostgresServer.postmaster(data());
  }

  /** Halts the embedded PostgreSQL as a crash would. */
  public void killPostgres() {
    postgresPid().flatMap(ProcessHandle::of).ifPresent(ProcessHandle::destroyForcibly);
  }

  /** Where it listens. */
  public URI url() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** A client of its own for this process. */
  public ApiClient api() {
    return new ApiClient(url());
  }

  public int port() {
    return port;
  }

  public long pid() {
    return process().pid();
  }

  /** Its log, over all its lives. */
  public File log() {
    return directory.resolve("service.log").toFile();
  }

  /** Where the embedded PostgreSQL keeps its data. */
  public Path data() {
    return directory.resolve("data");
  }

  private Process process() {
    return Objects.requireNonNull(process, "not started");
  }

  /** Ends the process and its PostgreSQL, whatever state they are in. */
  @Override
  public void close() {
    if (process != null && process.isAlive()) {
      cont();
      term();
      try {
        boolean _ = process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    killAll();
    Runtime.getRuntime().removeShutdownHook(onExit);
    try {
      FileSystemUtils.deleteRecursively(data());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void killAll() {
    if (process != null && process.isAlive()) {
      process.destroyForcibly().onExit().join();
    }
    PostgresServer.endOrphan(data());
  }

  /** Sends a signal, by its name without SIG, to a process. */
  public static void signal(String name, long pid) {
    try {
      int exit = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid).start().waitFor();
      if (exit != 0) {
        throw new IllegalStateException("kill -" + name + " " + pid + ": exit code " + exit);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /**
   * A port that nobody listens on now; another process could take it, which is rare enough for a
   * test.
   */
  public static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
