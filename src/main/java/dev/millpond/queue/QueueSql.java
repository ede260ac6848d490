package dev.millpond.queue;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * The read that follows the table on every node: past JPA, whose persistence context costs more
 * than the statement. Writes are the repository's.
 */
@Component
final class QueueSql {

  /** Scans the table, which has as many rows as there are queues. Takes no lock. */
  private static final String ALL =
      """
      select name, cap, concurrency, max_wait_ms, workers, rate_starts, rate_per_ms, retention_ms, paused, updated_at
      from queue
      """;

  private final JdbcClient jdbc;

  QueueSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  List<QueueRow> all() {
    return jdbc.sql(ALL).query((row, n) -> row(row)).list();
  }

  private static QueueRow row(ResultSet row) throws SQLException {
    return new QueueRow(
        row.getString("name"),
        row.getObject("cap", Integer.class),
        row.getObject("concurrency", Integer.class),
        row.getObject("max_wait_ms", Long.class),
        row.getString("workers"),
        row.getObject("rate_starts", Integer.class),
        row.getObject("rate_per_ms", Long.class),
        row.getObject("retention_ms", Long.class),
        row.getBoolean("paused"),
        row.getObject("updated_at", OffsetDateTime.class).toInstant());
  }
}
