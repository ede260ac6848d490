package dev.millpond.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.Database;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** Long transactions are seen, and seen to end. */
class SnapshotIT {

  private static final String VACUUM =
      "query like '%vacuum swept' and pid <> pg_backend_pid() and backend_xmin is not null";

  private final Database.Details database = Database.fresh();

  @Test
  void theOldestTransactionIsToldOfUntilItEnds() throws SQLException {
    try (Connection asking = database.connect();
        Connection open = database.connect();
        Statement statement = open.createStatement()) {
      SimpleMeterRegistry meters = new SimpleMeterRegistry();
      SnapshotSql sql =
          new SnapshotSql(JdbcClient.create(new SingleConnectionDataSource(asking, true)));
      OldestSnapshot snapshot = new OldestSnapshot(sql, meters);
      open.setAutoCommit(false);
      open.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("set application_name = 'a report'");
      statement.execute("select pg_sleep(0.01)");
      snapshot.measure();
      assertThat(seconds(meters)).isPositive();
      assertThat(sql.oldest().orElseThrow().who()).endsWith(" of a report");
      open.rollback();
      snapshot.measure();
      assertThat(seconds(meters)).isZero();
    }
  }

  /**
   * Neither the one that is at work nor the one that waits for its table keeps a row of others from
   * being removed, although each has a snapshot.
   */
  @Test
  void aVacuumByHandIsNotToldOf() throws SQLException {
    try (Connection asking = database.connect();
        Connection beside = database.connect();
        Connection sweeping = database.connect();
        Statement lock = beside.createStatement();
        Statement vacuum = sweeping.createStatement();
        ExecutorService sweeper = Executors.newSingleThreadExecutor()) {
      JdbcClient jdbc = JdbcClient.create(new SingleConnectionDataSource(asking, true));
      SnapshotSql sql = new SnapshotSql(jdbc);
      vacuum.execute("create table swept as select n from generate_series(1, 100000) as n");
      // So slow that it is at work for as long as this test looks.
      vacuum.execute("set vacuum_cost_delay = 100");
      vacuum.execute("set vacuum_cost_limit = 1");
      beside.setAutoCommit(false);
      lock.execute("lock table swept in share update exclusive mode");
      Future<Boolean> swept = sweeper.submit(() -> vacuum.execute("/* by hand */ vacuum swept"));
      await().until(() -> is(jdbc, VACUUM + " and wait_event_type = 'Lock'"));
      assertThat(sql.oldest()).isEmpty();
      beside.rollback();
      await()
          .until(() -> is(jdbc, VACUUM + " and pid in (select pid from pg_stat_progress_vacuum)"));
      assertThat(sql.oldest()).isEmpty();
      assertThat(swept).isNotDone();
      vacuum.cancel();
    }
  }

  private static boolean is(JdbcClient jdbc, String what) {
    return jdbc.sql("select exists (select from pg_stat_activity where %s)".formatted(what))
        .query(Boolean.class)
        .single();
  }

  private static double seconds(SimpleMeterRegistry meters) {
    return meters.get("millpond.database.oldest.transaction").gauge().value();
  }
}
