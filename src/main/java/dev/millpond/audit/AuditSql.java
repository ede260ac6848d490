package dev.millpond.audit;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** The statements of the audit log. Lines are appended, and completed once; none meets another. */
@Component
final class AuditSql {

  private static final String INSERT =
      """
      insert into audit (id, action, queue, schedule, client, request)
      values (:id, :action, :queue, :schedule, :client, :request)
      """;

  /** By the primary key. */
  private static final String END =
      """
      update audit set outcome = :outcome where id = :id
      """;

  /** By the primary key, from the newest down. */
  private static final String LIST =
      """
      select id, action, queue, schedule, client, request, outcome
      from audit
      where id < :before
      order by id desc
      limit :limit
      """;

  /** By the index audit_queue, from the newest down. */
  private static final String LIST_OF_QUEUE =
      """
      select id, action, queue, schedule, client, request, outcome
      from audit
      where queue = :queue and id < :before
      order by id desc
      limit :limit
      """;

  private final JdbcClient jdbc;

  AuditSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  void insert(AuditLine line) {
    jdbc.sql(INSERT)
        .param("id", line.id())
        .param("action", line.action())
        .param("queue", line.queue())
        .param("schedule", line.schedule())
        .param("client", line.client())
        .param("request", line.request())
        .update();
  }

  void end(UUID id, String outcome) {
    jdbc.sql(END).param("id", id).param("outcome", outcome).update();
  }

  List<AuditLine> list(@Nullable String queue, UUID before, int limit) {
    return (queue == null ? jdbc.sql(LIST) : jdbc.sql(LIST_OF_QUEUE).param("queue", queue))
        .param("before", before)
        .param("limit", limit)
        .query(
            (row, n) ->
                new AuditLine(
                    row.getObject("id", UUID.class),
                    row.getString("action"),
                    row.getString("queue"),
                    row.getString("schedule"),
                    row.getString("client"),
                    row.getString("request"),
                    row.getString("outcome")))
        .list();
  }
}
