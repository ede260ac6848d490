package dev.millpond.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.Database;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** Long transactions are seen, and seen to end. */
class SnapshotIT {

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

  private static double seconds(SimpleMeterRegistry meters) {
    return meters.get("millpond.database.oldest.transaction").gauge().value();
  }
}
