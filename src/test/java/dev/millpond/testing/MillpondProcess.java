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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * The packaged service as a process of its own, which can be killed, stopped and started again. It
 * keeps its port and its data over restarts. Its log stays in {@code
 * target/e2e/<name>/service.log}; its data is removed at the end.
 */
public final class MillpondProcess implements AutoCloseable {

  /** For a quick start; a measurement wants the real compiler. */
  private static final List<String> QUICK =
      List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:+UseSerialGC", "-Xmx512m");

  private static final Duration START = Duration.ofSeconds(90);
  private static final Duration STOP = Duration.ofSeconds(30);

  private final Path directory;
  private final List<String> jvmOptions;
  private final List<String> arguments = new ArrayList<>();
  private final int port;
  private final Thread onExit = new Thread(this::killAll);
  private @Nullable Process process;

  /**
   * @param name of the directory for its log and data, unique among the processes of a run
   * @param properties added to the command line
   */
  public MillpondProcess(String name, Map<String, String> properties) {
    this(name, properties, QUICK);
  }

  public MillpondProcess(String name, Map<String, String> properties, List<String> jvmOptions) {
    this.directory = Path.of("target", "e2e", name).toAbsolutePath();
    this.jvmOptions = jvmOptions;
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

  /** Starts the process and waits until it is ready. */
  public MillpondProcess start() {
    launch();
    awaitReady();
    return this;
  }

  /** Starts the process without waiting. */
  public void launch() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-jar");
    command.add(
        Objects.requireNonNull(
            System.getProperty("millpond.jar"), "the packaged jar: -Dmillpond.jar=…"));
    command.addAll(arguments);
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log()))
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .start();
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

  static void signal(String name, long pid) {
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
  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
