package dev.millpond.bench;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What is measured: the service as {@code java -jar} starts it, and the way into its database. */
final class Bed implements AutoCloseable {

  /** USER_HZ, in which Linux counts a process's time, on every platform that the JDK runs on. */
  private static final double TICKS_PER_SECOND = 100;

  /**
   * utime and stime, counted from the field after the command's name in {@code /proc/<pid>/stat}.
   */
  private static final int UTIME = 11;

  private final MillpondProcess service =
      new MillpondProcess(
          "bench",
          Map.of(
              // What is measured is the work and not the refusal.
              "millpond.queue.cap", "10000000",
              "millpond.admission.total-cap", "10000000"),
          MillpondProcess.jar());

  /** Reads a value from the first row of an answer. */
  interface Column<T> {
    T of(ResultSet row) throws SQLException;
  }

  /** Starts the service; returns the time until it was ready, from the start of its process. */
  Duration start() {
    return start(MillpondProcess.jar());
  }

  /** As {@link #start()}, of the same service as another program. */
  Duration start(List<String> program) {
    long started = System.nanoTime();
    service.start(program);
    return Duration.ofNanos(System.nanoTime() - started);
  }

  void stop() {
    service.term();
    service.awaitExit(Duration.ofSeconds(60));
  }

  ApiClient api() {
    return service.api();
  }

  /** Stops the program where a setting would make the figures a lie. */
  void requireDurability() throws SQLException {
    for (String setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
      String value = query("show " + setting, row -> row.getString(1));
      if (!value.equals("on")) {
        throw new IllegalStateException(setting + " is " + value);
      }
    }
  }

  <T> T query(String sql, Column<T> column) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      if (!row.next()) {
        throw new IllegalStateException("nothing found: " + sql);
      }
      return column.of(row);
    }
  }

  Connection connect() throws SQLException {
    return PostgresServer.connect(service.data());
  }

  /** The processor time that the service's process has used, without its database, in seconds. */
  double processorSeconds() throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(service.pid()), "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[UTIME + 1])) / TICKS_PER_SECOND;
  }

  /** Lets PostgreSQL write every statement that it is sent into its log, or no longer. */
  void logStatements(boolean on) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(
          on ? "alter system set log_statement = 'all'" : "alter system reset log_statement");
      statement.execute("select pg_reload_conf()");
    }
  }

  /**
   * How many statements the log holds. Counters of transactions would count those of autovacuum as
   * well, and lag by seconds.
   */
  long statementsLogged() throws IOException {
    try (Stream<String> lines = Files.lines(service.data().resolve("postgres.log"))) {
      return lines
          .filter(line -> line.contains("LOG:  statement: ") || line.contains("LOG:  execute "))
          .count();
    }
  }

  @Override
  public void close() {
    service.close();
  }
}
