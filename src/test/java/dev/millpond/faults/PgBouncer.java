package dev.millpond.faults;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.springframework.util.FileSystemUtils;

/** A pooler before a server, which lends a connection for one transaction at a time. */
final class PgBouncer implements AutoCloseable {

  private static final String COMMAND = "pgbouncer";

  private final int port = MillpondProcess.freePort();
  private final Path directory;
  private final Process process;
  private final Thread onExit = new Thread(this::end);

  PgBouncer(PostgresServer server) {
    try {
      // Not below the project: who is root lends it to a user who may not look in there.
      directory =
          Files.createTempDirectory(
              COMMAND,
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
      process = start(server);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(onExit);
    Awaitility.await("pgbouncer listens")
        .atMost(Duration.ofSeconds(10))
        .failFast("it ended, see " + COMMAND + "*/pgbouncer.log", () -> !process.isAlive())
        .ignoreExceptions()
        .until(
            () -> {
              new Socket(InetAddress.getLoopbackAddress(), port).close();
              return true;
            });
  }

  private Process start(PostgresServer server) throws IOException {
    Map<String, String> login = server.properties();
    Path users =
        Files.writeString(
            directory.resolve("users"),
            "\"%s\" \"%s\"%n"
                .formatted(
                    login.get("spring.datasource.username"),
                    login.get("spring.datasource.password")));
    Path settings =
        Files.writeString(
            directory.resolve("pgbouncer.ini"),
            """
            [databases]
            * = host=127.0.0.1 port=%d
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = %d
            unix_socket_dir =
            auth_type = trust
            auth_file = %s
            pool_mode = transaction
            default_pool_size = 20
            max_client_conn = 500
            ignore_startup_parameters = extra_float_digits
            """
                .formatted(server.port(), port, users));
    List<String> command = new ArrayList<>(List.of(COMMAND));
    if ("root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("-u", "nobody"));
    }
    command.add(settings.toString());
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("pgbouncer.log").toFile())
        .start();
  }

  /** Whether this machine has one. */
  static boolean isInstalled() {
    try {
      return new ProcessBuilder(COMMAND, "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException missing) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  int port() {
    return port;
  }

  @Override
  public void close() {
    end();
    Runtime.getRuntime().removeShutdownHook(onExit);
  }

  private void end() {
    process.destroyForcibly().onExit().join();
    try {
      FileSystemUtils.deleteRecursively(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
