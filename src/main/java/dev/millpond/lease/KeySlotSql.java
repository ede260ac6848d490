package dev.millpond.lease;

import dev.millpond.queue.LineChanged;
import dev.millpond.queue.QueueName;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.RowMapperResultSetExtractor;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/** The statements that let jobs out of the lines of their concurrency keys. */
@Component
final class KeySlotSql {

  /**
   * Before each of the others, in its transaction: no scan of a table may be in its plan, however
   * small the table was when that was made, unless there is no other way. That one would then look
   * so costly that it was compiled.
   */
  private static final String NO_SCANS =
      """
      select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true);
      """;

  /**
   * Whose turn it is takes keys one at a time, in one order for all, and waits for whoever has one:
   * were a key passed over, what happened after the other's look would be seen by nobody.
   */
  private static final String LOCK =
      """
      select pg_advisory_xact_lock(line)
      from (select distinct hashtextextended(key, hashtext(queue)) as line
            from unnest(:queues::text[], :keys::text[]) as asked (queue, key)
            order by line) as sorted;
      """;

  /**
   * Moves the first ones of each line to ready, as many as there are slots: one after another by
   * delayed_line, until one's own limit leaves no room for it. Slots are counted by key_slot_key
   * and the primary keys of where their jobs are, and forgotten where those are elsewhere; if
   * somebody else has one locked, it is who sends its job back. Who is being cancelled or replaced
   * at this moment is not waited for, since what was read of it could be old then; a note is left
   * for the next sweep. Nobody else lets a job out, so that what is counted under the lock of the
   * key can only become less. A job's version stays: it was queued, and is.
   */
  private static final String PROMOTE =
      """
      with recursive asked as (
        select queue, key from unnest(:queues::text[], :keys::text[]) as a (queue, key)
      ), slots as materialized (
        select slot.id, slot.queue, slot.key, slot.taken
        from asked, lateral (
          select id, queue, key, taken from key_slot_status
          where key_slot_status.queue = asked.queue and key_slot_status.key = asked.key
          offset 0) as slot
      ), counted as (
        select asked.queue, asked.key, count(*) filter (where slots.taken) as taken
        from asked left join slots on slots.queue = asked.queue and slots.key = asked.key
        group by asked.queue, asked.key
      ), granted as (
        select counted.queue, counted.key, counted.taken + 1 as taken, next.id, next.place, next.rank, next.most
        from counted, lateral (
          select delayed.id, -priority as place, rank,
                 (select concurrency_limit from job where job.id = delayed.id) as most
          from delayed
          where delayed.queue = counted.queue and delayed.key = counted.key
          order by -priority, rank, delayed.id
          limit 1) as next
        where counted.taken < next.most
        union all
        select granted.queue, granted.key, granted.taken + 1, next.id, next.place, next.rank, next.most
        from granted, lateral (
          select delayed.id, -priority as place, rank,
                 (select concurrency_limit from job where job.id = delayed.id) as most
          from delayed
          where delayed.queue = granted.queue and delayed.key = granted.key
            and (-priority, delayed.rank, delayed.id) > (granted.place, granted.rank, granted.id)
          order by -priority, rank, delayed.id
          limit 1) as next
        where granted.taken < next.most
      ), moved as (
        delete from delayed
        where ctid = any(array(
          select ctid from delayed where id = any(array(select id from granted)) for update skip locked))
        returning id, rank, start_by, started_at, version, attempt, recoveries, max_attempts, priority, queue,
                  key, tenant
      ), runnable as (
        insert into ready (id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts,
                           priority, queue, type, tenant)
        select id, rank, now(), start_by, started_at, version, attempt, recoveries, max_attempts, priority, queue,
               (select type from job where job.id = moved.id), tenant
        from moved
      ), taken as (
        insert into key_slot (id, alone, queue, key)
        select moved.id, granted.most = 1, moved.queue, moved.key
        from moved join granted on granted.id = moved.id
        -- Of an earlier attempt.
        on conflict (id) do nothing
      ), forgotten as (
        delete from key_slot
        using (select id from key_slot
               where id = any(array(select id from slots where not taken except select id from granted))
               for update skip locked) as gone
        where key_slot.id = gone.id
      ), heard as (
        delete from key_note
        where ctid = any(array(
          select note.place
          from asked, lateral (
            select ctid as place from key_note
            where key_note.queue = asked.queue and key_note.key = asked.key
            offset 0) as note))
      ), missed as (
        insert into key_note (queue, key)
        select distinct queue, key from granted where id not in (select id from moved)
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, 0, count(*), 0
        from moved
        group by queue, tenant
      )
      select queue, tenant, count(*) as jobs, bool_or(recoveries > 0) as suspects
      from moved
      group by queue, tenant
      """;

  /**
   * Of which keys somebody must look: whoever was to do so may have stopped before. Looks at all
   * notes, which are few, and all slots, which are no more than the jobs with a key that run or
   * could; not at those who wait.
   */
  private static final String UNHEARD =
      """
      select queue, key
      from (select queue, key from key_note
            union all
            select queue, key from key_slot_status where not taken) as unheard
      group by queue, key
      limit :limit
      """;

  /** The keys of the jobs that have slots, or wait for them; by the primary keys. */
  private static final String KEYS =
      """
      select queue, key from key_slot where id = any(:ids::uuid[])
      union
      select queue, key from delayed where id = any(:ids::uuid[]) and key is not null
      """;

  private final NamedParameterJdbcTemplate template;
  private final JdbcClient jdbc;

  KeySlotSql(@Qualifier("leases") NamedParameterJdbcTemplate template) {
    this.template = template;
    this.jdbc = JdbcClient.create(template);
  }

  /**
   * Jobs of a tenant that may start now.
   *
   * @param suspects whether a worker has died under some of them
   */
  record Promoted(QueueName queue, @Nullable String tenant, int jobs, boolean suspects) {}

  /** All in one round trip, as a claim within limits: no lock can outlive it. */
  List<Promoted> promote(UUID account, Collection<LineChanged> lines) {
    MapSqlParameterSource values =
        new MapSqlParameterSource("account", account)
            .addValue("queues", texts(lines, line -> line.queue().value()))
            .addValue("keys", texts(lines, LineChanged::key));
    return template.execute(
        NO_SCANS + LOCK + PROMOTE, values, all -> last(all, 2, KeySlotSql::promoted));
  }

  /** What the last statement says, after so many others. */
  private static <T> List<T> last(PreparedStatement all, int before, RowMapper<T> mapper)
      throws SQLException {
    all.execute();
    for (int n = 0; n < before; n++) {
      all.getMoreResults();
    }
    return new RowMapperResultSetExtractor<>(mapper).extractData(all.getResultSet());
  }

  private static Promoted promoted(ResultSet row, int n) throws SQLException {
    return new Promoted(
        new QueueName(row.getString("queue")),
        row.getString("tenant"),
        row.getInt("jobs"),
        row.getBoolean("suspects"));
  }

  List<LineChanged> unheard(int limit) {
    return template.execute(
        NO_SCANS + UNHEARD,
        new MapSqlParameterSource("limit", limit),
        all -> last(all, 1, KeySlotSql::line));
  }

  List<LineChanged> keys(Collection<UUID> ids) {
    return jdbc.sql(KEYS)
        .param("ids", new SqlArrayValue("uuid", ids.toArray()))
        .query(KeySlotSql::line)
        .list();
  }

  private static LineChanged line(ResultSet row, int n) throws SQLException {
    return new LineChanged(new QueueName(row.getString("queue")), row.getString("key"));
  }

  private static SqlArrayValue texts(
      Collection<LineChanged> lines, Function<LineChanged, String> column) {
    return new SqlArrayValue("text", lines.stream().map(column).toArray());
  }
}
