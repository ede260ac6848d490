package dev.millpond.postgres;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL server that runs as long as this object is open and is started again, on the same
 * port, when it dies in between. Its data stays in the directory. It listens on 127.0.0.1 only and
 * asks for a password.
 *
 * <p>Whoever starts it must close it, after everything that uses it: otherwise the server outlives
 * this process, and the next start on the directory stops it.
 */
public final class EmbeddedPostgres implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(EmbeddedPostgres.class);
  private static final long LOG_LIMIT = 10_000_000;

  /** Each look reads several files of the system, which is felt at rest; a start takes as long. */
  private static final Duration WATCH = Duration.ofMillis(500);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final DataDirectory directory;
  private final Programs programs;
  private final Cluster cluster;
  private final Server server;
  private final int port;
  private final Thread watcher =
      Thread.ofPlatform().daemon().name("postgres-watcher").unstarted(this::watch);

  private EmbeddedPostgres(
      DataDirectory directory, Programs programs, Cluster cluster, Server server, int port) {
    this.directory = directory;
    this.programs = programs;
    this.cluster = cluster;
    this.server = server;
    this.port = port;
  }

  /**
   * Starts the server on a directory, which is made if it is missing and is ours until close.
   *
   * @throws IllegalStateException if it cannot start: the directory is in use, cannot be written,
   *     or was made by another major version; there are no programs for this platform; or the
   *     server refuses. The message says which, and what to do.
   */
  public static EmbeddedPostgres start(Path dataDir) {
    Archive archive = Archive.ofThisPlatform();
    try {
      DataDirectory directory = DataDirectory.take(dataDir);
      try {
        return start(directory, archive);
      } catch (IOException | RuntimeException e) {
        directory.close();
        throw e;
      }
    } catch (IOException e) {
      throw new StartFailure(
          "The embedded PostgreSQL cannot start in %s: %s"
              .formatted(dataDir.toAbsolutePath().normalize(), reason(e)),
          "Check that the directory belongs to user %s, can be written, and has free space."
              .formatted(System.getProperty("user.name")),
          e);
    }
  }

  private static EmbeddedPostgres start(DataDirectory directory, Archive archive)
      throws IOException {
    long begun = System.nanoTime();
    var serverLog = new ServerLog(directory.log(), LOG_LIMIT);
    int port = Server.freePort();
    var server = new Server(directory, serverLog, port);
    server.stop();
    directory.deleteUnfinished();
    Programs programs = archive.unpackInto(directory);
    Cluster cluster = Cluster.in(directory, programs);
    cluster.writeSettings();
    try {
      server.start(programs);
    } catch (IOException | RuntimeException e) {
      server.stop();
      throw e;
    }
    var postgres = new EmbeddedPostgres(directory, programs, cluster, server, port);
    postgres.watcher.start();
    log.info(
        "PostgreSQL {} runs on 127.0.0.1:{} after {} ms, data in {}",
        programs.major(),
        port,
        Duration.ofNanos(System.nanoTime() - begun).toMillis(),
        directory.root());
    return postgres;
  }

  /** Java's own name their kind only by their class, and ours only by their message. */
  private static @Nullable String reason(IOException failure) {
    return failure.getClass() == IOException.class ? failure.getMessage() : failure.toString();
  }

  /** The address without user and password; the same until close. */
  public String jdbcUrl() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
  }

  /** The superuser that initdb made. */
  public String user() {
    return Cluster.USER;
  }

  /** Generated with the data, and kept beside it where only the owner can read it. */
  public String password() {
    return cluster.password();
  }

  /** The watcher's thread is the only one that touches the server until close has ended it. */
  private void watch() {
    Duration pause = WATCH;
    while (Wait.pause(pause)) {
      try {
        if (server.hasEnded()) {
          log.warn("PostgreSQL has ended although nobody stopped it here; starting it again");
          server.stop();
          server.start(programs);
          log.info("PostgreSQL runs again on port {}", port);
        }
        server.boundLog();
        pause = WATCH;
      } catch (IOException | RuntimeException e) {
        if (Thread.currentThread().isInterrupted()) {
          return;
        }
        Duration longer = pause.multipliedBy(2);
        pause = longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
        log.error("PostgreSQL cannot be kept running, next attempt in {}", pause, e);
      }
    }
  }

  /** Stops the server and gives the directory back; clients that are still there are cut off. */
  @Override
  public void close() {
    // An interrupt of ours must not cut the stop short.
    boolean interrupted = Thread.interrupted();
    watcher.interrupt();
    while (watcher.isAlive()) {
      try {
        watcher.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    try {
      server.stop();
      log.info("PostgreSQL stopped");
    } finally {
      directory.close();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
