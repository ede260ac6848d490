package dev.millpond.queue;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * The read that follows the table, every second on every node: past JPA, whose persistence context
 * costs more than the statement. Writes are the repository's.
 */
@Component
final class QueueSql {

  /** Scans the table, which has as many rows as there are queues. Takes no lock. */
  private static final String CHANGED =
      """
      select name, cap, concurrency, max_wait_ms, workers, updated_at
      from queue
      where updated_at > :moment
      """;

  private final JdbcClient jdbc;

  QueueSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  List<QueueRow> changedAfter(Instant moment) {
    return jdbc.sql(CHANGED)
        .param("moment", moment.atOffset(ZoneOffset.UTC))
        .query(QueueSql::row)
        .list();
  }

  private static QueueRow row(ResultSet row, int n) throws SQLException {
    return new QueueRow(
        row.getString("name"),
        row.getObject("cap", Integer.class),
        row.getObject("concurrency", Integer.class),
        row.getObject("max_wait_ms", Long.class),
        row.getString("workers"),
        row.getObject("updated_at", OffsetDateTime.class).toInstant());
  }
}
