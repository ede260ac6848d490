package dev.millpond.testing;

import dev.millpond.postgres.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.springframework.util.FileSystemUtils;

/**
 * A PostgreSQL server beside the service, as an operator would run it: it stays away when it is
 * stopped, and comes back on the same port when it is started. Its programs are those that the
 * product brings.
 */
public final class PostgresServer implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Path directory;
  private final int port = MillpondProcess.freePort();
  private final String password;
  private final Thread onExit;

  /** Makes a cluster and starts it. */
  public PostgresServer(String name) {
    directory = Path.of("target", "e2e", name).toAbsolutePath();
    onExit = new Thread(() -> endOrphan(directory));
    try {
      FileSystemUtils.deleteRecursively(directory);
      // Unpacks the programs and makes the cluster; from then on it is ours.
      EmbeddedPostgres.start(directory).close();
      password = Files.readString(directory.resolve("password")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(onExit);
    start();
  }

  /** A standby that follows another server, without which that one confirms no commit any more. */
  private PostgresServer(PostgresServer primary) {
    directory = primary.directory.resolveSibling(primary.directory.getFileName() + "-standby");
    onExit = new Thread(() -> endOrphan(directory));
    password = primary.password;
    try {
      FileSystemUtils.deleteRecursively(directory);
      // There is no pg_basebackup among the programs: the copy is made while the server is stopped.
      primary.pgCtl("stop", "--mode=fast");
      copy(primary.directory, directory);
      Path cluster = directory.resolve("cluster");
      Files.writeString(cluster.resolve("standby.signal"), "");
      Files.writeString(
          cluster.resolve("postgresql.auto.conf"),
          "primary_conninfo = 'host=127.0.0.1 port=%d user=millpond password=%s application_name=standby'%n"
              .formatted(primary.port, password));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(onExit);
    primary.start();
    start();
    primary.confirmBy("standby");
  }

  private static void copy(Path from, Path to) throws IOException {
    try {
      int exit = new ProcessBuilder("cp", "-a", from.toString(), to.toString()).start().waitFor();
      if (exit != 0) {
        throw new IOException("cp: exit code " + exit);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private void confirmBy(String standby) {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute("alter system set synchronous_standby_names = '" + standby + "'");
      statement.execute("select pg_reload_conf()");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Starts a synchronous standby of this server. */
  public PostgresServer standby() {
    return new PostgresServer(this);
  }

  /** Makes a standby the primary; returns when it takes writes. */
  public void promote() {
    pgCtl("promote");
  }

  /** What makes the service use this server. */
  public Map<String, String> properties() {
    return properties("127.0.0.1:" + port, "");
  }

  /**
   * What makes the service use this server, or one of several.
   *
   * @param hosts with their ports, separated by commas, that lead to it
   * @param parameters of the connection, with a leading question mark; or empty
   */
  public Map<String, String> properties(String hosts, String parameters) {
    return Map.of(
        "spring.datasource.url",
        "jdbc:postgresql://" + hosts + "/postgres" + parameters,
        "spring.datasource.username",
        "millpond",
        "spring.datasource.password",
        password);
  }

  public int port() {
    return port;
  }

  /** A connection of the test's own, as the server's superuser. */
  public Connection connect() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + port + "/postgres", "millpond", password);
  }

  /** Starts it again; returns when it answers. */
  public void start() {
    pgCtl(
        "start",
        "--log=" + directory.resolve("server.log"),
        "--options=-p " + port + " -h 127.0.0.1 -k '' -c wal_level=replica -c max_wal_senders=4");
  }

  /** Stops it at once, as a crash would: no checkpoint, connections cut. */
  public void stopImmediately() {
    pgCtl("stop", "--mode=immediate");
  }

  private void pgCtl(String action, String... options) {
    List<String> command = new ArrayList<>();
    if ("root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("unshare", "-U"));
    }
    command.add(programs().resolve("bin/pg_ctl").toString());
    command.addAll(List.of(action, "--wait", "--pgdata=" + directory.resolve("cluster")));
    command.addAll(List.of(options));
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(
                  ProcessBuilder.Redirect.appendTo(directory.resolve("pg_ctl.log").toFile()))
              .start();
      if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IllegalStateException("pg_ctl " + action + ", see " + directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private Path programs() {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("programs-"))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    endOrphan(directory);
    Runtime.getRuntime().removeShutdownHook(onExit);
    try {
      FileSystemUtils.deleteRecursively(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A connection to the embedded server that runs on a service's data directory. */
  public static Connection connect(Path data) throws SQLException {
    try {
      List<String> lines = Files.readAllLines(pidFile(data));
      return DriverManager.getConnection(
          "jdbc:postgresql://127.0.0.1:" + lines.get(3).strip() + "/postgres",
          "millpond",
          Files.readString(data.resolve("password")).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The process that leads the server of a data directory, if it runs. */
  static Optional<Long> postmaster(Path data) {
    try (Stream<String> lines = Files.lines(pidFile(data))) {
      long pid = Long.parseLong(lines.findFirst().orElse("").strip());
      return ProcessHandle.of(pid)
          .filter(ProcessHandle::isAlive)
          .filter(process -> process.info().command().orElse("").startsWith(data.toString()))
          .map(ProcessHandle::pid);
    } catch (IOException | NumberFormatException notRunning) {
      return Optional.empty();
    }
  }

  /** Stops the server of a data directory if its service has left it behind. */
  static void endOrphan(Path data) {
    postmaster(data)
        .ifPresent(
            pid -> {
              MillpondProcess.signal("QUIT", pid);
              ProcessHandle.of(pid)
                  .ifPresent(process -> process.onExit().orTimeout(10, TimeUnit.SECONDS).join());
            });
  }

  private static Path pidFile(Path data) {
    return data.resolve("cluster").resolve("postmaster.pid");
  }
}
