package dev.millpond.callback;

import dev.millpond.callback.Callback.Attempt;
import dev.millpond.handler.Webhooks.Answer;
import dev.millpond.job.JobError;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/**
 * The statements by which ends of jobs are told. What becomes due is written where the job ends, by
 * the trigger of {@code finished}; what was asked for by the submit.
 */
@Component
final class CallbackSql {

  /**
   * Leases what is due to this node. By the index callback_due_next it goes from host to host, and
   * takes of each no more than may be called at once, the longest due first; what another node has
   * locked is skipped. The cost is that of the hosts that wait, not of what waits for them. An
   * expired lease is due as anything else.
   */
  private static final String CLAIM =
      """
      with recursive target (host) as (
        (select host from callback_due order by host limit 1)
        union all
        select (select callback_due.host from callback_due
                where callback_due.host > target.host
                order by callback_due.host
                limit 1)
        from target
        where target.host is not null
      )
      update callback_due
      set token = gen_random_uuid(), due_at = now() + :lease_ms * interval '1 ms', started_at = now(),
          attempt = attempt + 1
      where ctid = any(array(
        select next.place
        from target left join unnest(:hosts::text[], :calls::int[]) as busy (host, calls) on busy.host = target.host,
          lateral (
            select ctid as place, due_at from callback_due
            where callback_due.host = target.host and due_at <= now()
            order by due_at
            limit greatest(0, :per_host - coalesce(busy.calls, 0))
            for update skip locked) as next
        order by next.due_at
        limit :max))
      returning id, token, version, attempt, host,
                (select traceparent from job where job.id = callback_due.id) as traceparent
      """;

  /**
   * Notes the last call, after which nobody is to be told; by the primary key, guarded by the
   * token.
   */
  private static final String END =
      """
      with told as (
        delete from callback_due where id = :id and token = :token
        returning id, started_at, version, attempt
      )
      insert into callback_attempt (id, started_at, finished_at, version, number, status, error_type, error_message)
      select id, started_at, now(), version, attempt, :status::int, :error_type::text, :error_message::text
      from told
      """;

  /** Notes a call that failed, and when the next may be made; as END. */
  private static final String RETRY =
      """
      with untold as (
        update callback_due set token = null, due_at = now() + :delay_ms * interval '1 ms'
        where id = :id and token = :token
        returning id, started_at, version, attempt
      )
      insert into callback_attempt (id, started_at, finished_at, version, number, status, error_type, error_message)
      select id, started_at, now(), version, attempt, :status::int, :error_type::text, :error_message::text
      from untold
      """;

  /** Calls that were not made count as none, and are due at once; as END. */
  private static final String GIVE_BACK =
      """
      update callback_due set token = null, due_at = now(), attempt = attempt - 1
      where id = any(:ids::uuid[]) and token = any(:tokens::uuid[])
      """;

  /** The end that was to be told of is one no longer; as END. */
  private static final String WITHDRAW =
      """
      delete from callback_due where id = :id and token = :token
      """;

  /** By the primary keys; of one moment, so that it is either pending or told. */
  private static final String FIND =
      """
      select due.id is not null as pending, case when due.token is null then due.due_at end as next_attempt_at,
             made.number, made.started_at, made.finished_at, made.status, made.error_type, made.error_message
      from (select :id::uuid as id) as job
      left join callback_due due on due.id = job.id and due.version = :version
      left join callback_attempt made on made.id = job.id and made.version = :version
      order by made.number
      """;

  /** Looks at all that is due. */
  private static final String OLDEST =
      """
      select coalesce(extract(epoch from now() - min(ended_at)), 0) from callback_due
      """;

  private final JdbcClient jdbc;

  CallbackSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** What is stored of telling one end of a job. */
  record Calls(boolean pending, @Nullable Instant nextAttemptAt, List<Attempt> attempts) {}

  /**
   * Leases calls to this node.
   *
   * @param max how many at most
   * @param perHost how many may be made to one host at once
   * @param busy how many this node is making, by host
   */
  List<Due> claim(Duration lease, int max, int perHost, Map<String, Integer> busy) {
    List<String> hosts = List.copyOf(busy.keySet());
    return jdbc.sql(CLAIM)
        .param("lease_ms", lease.toMillis())
        .param("max", max)
        .param("per_host", perHost)
        .param("hosts", array("text", hosts, host -> host))
        .param("calls", array("int", hosts, busy::get))
        .query(
            (row, n) ->
                new Due(
                    row.getObject("id", UUID.class),
                    row.getObject("token", UUID.class),
                    row.getInt("version"),
                    row.getInt("attempt"),
                    row.getString("host"),
                    row.getString("traceparent")))
        .list();
  }

  /** Notes the last call; false if it was no longer this node's to make. */
  boolean end(Due due, Answer answer) {
    return noted(jdbc.sql(END), due, answer).update() > 0;
  }

  /** Notes a call that failed; false if it was no longer this node's to make. */
  boolean retry(Due due, Answer answer, Duration delay) {
    return noted(jdbc.sql(RETRY), due, answer).param("delay_ms", delay.toMillis()).update() > 0;
  }

  private static StatementSpec noted(StatementSpec statement, Due due, Answer answer) {
    JobError error = answer.error();
    return statement
        .param("id", due.id())
        .param("token", due.token())
        .param("status", answer.status())
        .param("error_type", error == null ? null : error.type())
        .param("error_message", error == null ? null : error.message());
  }

  void giveBack(Collection<Due> calls) {
    jdbc.sql(GIVE_BACK)
        .param("ids", array("uuid", calls, Due::id))
        .param("tokens", array("uuid", calls, Due::token))
        .update();
  }

  void withdraw(Due due) {
    jdbc.sql(WITHDRAW).param("id", due.id()).param("token", due.token()).update();
  }

  Calls find(UUID id, int version) {
    List<Calls> rows =
        jdbc.sql(FIND)
            .param("id", id)
            .param("version", version)
            .query(
                (row, n) ->
                    new Calls(
                        row.getBoolean("pending"),
                        instantOrNull(row, "next_attempt_at"),
                        row.getObject("number") == null ? List.of() : List.of(attempt(row))))
            .list();
    List<Attempt> attempts = new ArrayList<>();
    rows.forEach(row -> attempts.addAll(row.attempts()));
    return new Calls(rows.getFirst().pending(), rows.getFirst().nextAttemptAt(), attempts);
  }

  private static Attempt attempt(ResultSet row) throws SQLException {
    String error = row.getString("error_type");
    return new Attempt(
        row.getInt("number"),
        instant(row, "started_at"),
        instant(row, "finished_at"),
        row.getObject("status", Integer.class),
        error == null ? null : new JobError(error, row.getString("error_message")));
  }

  /** For how long the oldest end has not been told; zero if all are. */
  Duration oldest() {
    double seconds = jdbc.sql(OLDEST).query(Double.class).single();
    return Duration.ofMillis((long) (seconds * 1_000));
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  private static @Nullable Instant instantOrNull(ResultSet row, String column) throws SQLException {
    OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }

  private static <T> SqlArrayValue array(
      String type, Collection<T> rows, Function<T, @Nullable Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
