package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One to three nodes of the packaged service, each with a line of its own to a PostgreSQL that
 * keeps what it confirms, and that notes every change of a job.
 */
final class Stage implements AutoCloseable {

  static final Duration LEASE = Duration.ofSeconds(2);
  static final Duration SWEEP = Duration.ofMillis(500);

  /** Short enough for a test, long enough for the short jobs. */
  static final Duration GRACE = Duration.ofSeconds(2);

  /** The primary; another one after {@link #failOver}. */
  private volatile PostgresServer postgres;

  private final PostgresServer first;
  private final @Nullable PostgresServer standby;
  private final @Nullable PgBouncer pooler;
  private final List<TcpProxy> lines = new ArrayList<>();
  private final List<MillpondProcess> nodes = new ArrayList<>();

  /**
   * Starts all.
   *
   * @param parameters of the connection to the database, with a leading question mark; or empty
   * @param options of {@code java}, for the first node alone
   */
  Stage(String name, int count, String parameters, String... options) {
    this(
        name,
        count,
        With.NOTHING,
        parameters,
        n -> MillpondProcess.quick(n == 0 ? options : new String[0]));
  }

  private enum With {
    NOTHING,
    STANDBY,
    POOLER,
    WRONG_CLOCK
  }

  private Stage(
      String name, int count, With with, String parameters, IntFunction<List<String>> program) {
    first = new PostgresServer("faults-" + name + "/postgres");
    postgres = first;
    standby = with == With.STANDBY ? first.standby() : null;
    pooler = with == With.POOLER ? new PgBouncer(first) : null;
    for (int n = 0; n < count; n++) {
      TcpProxy line = new TcpProxy(pooler == null ? postgres.port() : pooler.port());
      lines.add(line);
      Map<String, String> properties = new HashMap<>(postgres.properties(hosts(line), parameters));
      if (pooler != null) {
        // A migration holds a lock of its session, which a pooler would hand to others.
        Map<String, String> direct = postgres.properties();
        properties.put("spring.flyway.url", direct.getOrDefault("spring.datasource.url", ""));
        properties.put("spring.flyway.user", direct.getOrDefault("spring.datasource.username", ""));
        properties.put(
            "spring.flyway.password", direct.getOrDefault("spring.datasource.password", ""));
      }
      properties.put("millpond.node", name(n));
      properties.put("millpond.lease.duration", LEASE.toString());
      properties.put("millpond.lease.sweep", SWEEP.toString());
      properties.put("millpond.worker.grace", GRACE.toString());
      properties.put("millpond.http.allow-private-addresses", "true");
      properties.put("millpond.http.max-connections-per-host", "64");
      MillpondProcess node =
          new MillpondProcess("faults-" + name + "-" + n, properties, program.apply(n));
      nodes.add(with == With.WRONG_CLOCK && n == 0 ? node.with(WrongClock.variables()) : node);
    }
    try {
      nodes.forEach(MillpondProcess::launch);
      nodes.forEach(MillpondProcess::awaitReady);
      prepare();
    } catch (RuntimeException | Error failed) {
      close();
      throw failed;
    }
  }

  private void prepare() {
    try (Connection connection = postgres.connect()) {
      for (String setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
        assertThat(show(connection, setting)).as(setting).isEqualTo("on");
      }
      Audit.install(connection);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Two nodes, and a PostgreSQL whose commits a second one confirms before it does. */
  static Stage withStandby(String name) {
    return new Stage(
        name, 2, With.STANDBY, "?targetServerType=primary", _ -> MillpondProcess.quick());
  }

  /** Two nodes behind a pooler that lends connections by the transaction. */
  static Stage behindPgBouncer(String name) {
    return new Stage(name, 2, With.POOLER, "?prepareThreshold=0", _ -> MillpondProcess.quick());
  }

  /** Two nodes, the first of which is an hour ahead of the time. */
  static Stage withWrongClock(String name) {
    return new Stage(name, 2, With.WRONG_CLOCK, "", _ -> MillpondProcess.quick());
  }

  /** Nodes of another version, or with handlers of their own. */
  static Stage of(String name, int count, List<String> program) {
    return new Stage(name, count, With.NOTHING, "", _ -> program);
  }

  private String hosts(TcpProxy line) {
    String primary = "127.0.0.1:" + line.port();
    return standby == null ? primary : primary + ",127.0.0.1:" + standby.port();
  }

  /** The primary is lost, as in a crash, and the standby takes its place. */
  void failOver() {
    PostgresServer next = Objects.requireNonNull(standby);
    postgres.stopImmediately();
    next.promote();
    postgres = next;
  }

  private static String show(Connection connection, String setting) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("show " + setting)) {
      row.next();
      return row.getString(1);
    }
  }

  /** Sets a queue, on every node within a second. */
  void queue(String queue, String settings) {
    try {
      assertThat(nodes.getFirst().api().put("/v1/queues/" + queue, settings).status() / 100)
          .isEqualTo(2);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int size() {
    return nodes.size();
  }

  static String name(int n) {
    return "node-" + n;
  }

  MillpondProcess node(int n) {
    return nodes.get(n);
  }

  /** A node's line to the database. */
  TcpProxy line(int n) {
    return lines.get(n);
  }

  PostgresServer postgres() {
    return postgres;
  }

  /** A client for each node. */
  List<ApiClient> apis() {
    return IntStream.range(0, nodes.size()).mapToObj(n -> nodes.get(n).api()).toList();
  }

  @Override
  public void close() {
    lines.forEach(TcpProxy::heal);
    nodes.forEach(MillpondProcess::close);
    lines.forEach(
        line -> {
          try {
            line.close();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    if (pooler != null) {
      pooler.close();
    }
    first.close();
    if (standby != null) {
      standby.close();
    }
  }
}
