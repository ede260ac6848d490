package dev.millpond.queue;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * The read that follows the table, every second on every node: past JPA, whose persistence context
 * costs more than the statement. Writes are the repository's.
 */
@Component
final class QueueSql {

  /**
   * Scans the table, which has as many rows as there are queues. Takes no lock. One row at least,
   * without a name if nothing changed.
   */
  private static final String CHANGED =
      """
      select total, name, cap, concurrency, max_wait_ms, workers, rate_starts, rate_per_ms, retention_ms, paused,
             updated_at
      from (select count(*) as total from queue) as counted
      left join queue on updated_at > :moment
      """;

  /** Scans the primary key. */
  private static final String NAMES =
      """
      select name from queue
      """;

  private final JdbcClient jdbc;

  QueueSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** How many queues there are, and those that were changed. */
  record Changes(int total, List<QueueRow> changed) {}

  Changes changedAfter(Instant moment) {
    List<QueueRow> changed = new ArrayList<>();
    AtomicInteger total = new AtomicInteger();
    jdbc.sql(CHANGED)
        .param("moment", moment.atOffset(ZoneOffset.UTC))
        .query(
            row -> {
              total.set(row.getInt("total"));
              if (row.getString("name") != null) {
                changed.add(row(row));
              }
            });
    return new Changes(total.get(), changed);
  }

  Set<QueueName> names() {
    return Set.copyOf(
        jdbc.sql(NAMES).query((row, n) -> new QueueName(row.getString("name"))).list());
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
