package dev.millpond.postgres;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The server of a data directory: how it starts, stops and is seen to end. For one thread at a
 * time.
 */
final class Server {

  /** A crashed server replays its log before it answers, up to max_wal_size on a slow disk. */
  private static final Duration START = Duration.ofMinutes(2);

  private final DataDirectory directory;
  private final ServerLog log;
  private final int port;
  private @Nullable Postmaster postmaster;

  Server(DataDirectory directory, ServerLog log, int port) {
    this.directory = directory;
    this.log = log;
    this.port = port;
  }

  /**
   * A port that is free now, below the ones that systems give to outgoing connections: there, one
   * could take it while the server starts again.
   */
  static int freePort() throws IOException {
    for (int attempt = 1; ; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(15_000, 32_000);
      try (var socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
        return port;
      } catch (IOException e) {
        if (attempt == 100) {
          throw e;
        }
      }
    }
  }

  /**
   * Returns when the server answers. pg_ctl makes it the leader of a session of its own, so that a
   * terminal's Ctrl-C reaches us and not it. Nothing else of this directory may run.
   */
  void start(Programs programs) throws IOException {
    // Its pid may be anybody's by now, and the server would take that one for its twin.
    Files.deleteIfExists(Postmaster.pidFile(directory));
    long logStart = log.size();
    Programs.Result result =
        programs.run(
            START.plusSeconds(10),
            "pg_ctl",
            "start",
            "--silent",
            "--wait",
            "--timeout=" + START.toSeconds(),
            "--pgdata=" + directory.cluster(),
            "--log=" + log.file(),
            "--options=-p " + port + " -h 127.0.0.1 -k ''");
    postmaster = Postmaster.of(directory).orElse(null);
    if (result.exitCode() != 0 || postmaster == null) {
      throw new IOException(
          "PostgreSQL did not start: %s%n%s".formatted(result.lastLines(), log.tailFrom(logStart)));
    }
  }

  void boundLog() throws IOException {
    log.bound();
  }

  boolean hasEnded() {
    return postmaster == null || postmaster.hasEnded();
  }

  /**
   * Ends the server in bounded time, this one or an orphan that is found here, and what a killed
   * postmaster left behind.
   */
  void stop() {
    Postmaster.of(directory)
        .ifPresent(
            found -> {
              if (!found.stop(Postmaster.Mode.FAST)) {
                found.stop(Postmaster.Mode.IMMEDIATE);
              }
            });
    directory.killProcesses();
  }
}
