package dev.millpond.dependency;

import dev.millpond.job.JobState;
import dev.millpond.queue.QueueName;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/** The statements by which jobs come to wait for others, and wait no longer. */
@Component
final class DependencySql {

  /** Whoever stops while it holds jobs must not hold up those who renew or settle them. */
  private static final String SOON =
      """
      select set_config('lock_timeout', '1500ms', true),
             set_config('idle_in_transaction_session_timeout', '1s', true)
      """;

  /**
   * Predecessors that wait for a slot: by the primary key, locked in the order of ids, and table
   * after table in the order in which CANCEL locks them. Who would claim them passes over them.
   */
  private static final String HOLD_READY =
      """
      select id, queue, true as waits from ready where id = any(:ids) order by id for key share
      """;

  /** Predecessors that wait for something else; as HOLD_READY. */
  private static final String HOLD_DELAYED =
      """
      select id, queue, missing is null as waits from delayed where id = any(:ids) order by id for key share
      """;

  /** Predecessors that run; as HOLD_READY. Who would settle, renew or cancel them waits. */
  private static final String HOLD_LEASED =
      """
      select id, queue, false as waits from lease where id = any(:ids) order by id for key share
      """;

  /** How jobs stand, by the primary keys. */
  private static final String LOOK =
      """
      select named.id, finished.state
      from unnest(:ids::uuid[]) as named (id) left join finished on finished.id = named.id
      where finished.id is not null
         or exists (select from ready where ready.id = named.id)
         or exists (select from delayed where delayed.id = named.id)
         or exists (select from lease where lease.id = named.id)
      """;

  /**
   * Writes what jobs depend on, what of it they wait for, and the ends that are to cancel them;
   * only inserts.
   */
  private static final String LINK =
      """
      with linked as (
        select *
        from unnest(:ids::uuid[], :predecessors::uuid[], :places::int[], :anyway::boolean[], :awaited::boolean[],
                    :ended::text[])
          as l (id, predecessor, place, run_anyway, is_awaited, ended)
      ), kept as (
        insert into dependency (id, predecessor, place, run_anyway)
        select id, predecessor, place, run_anyway from linked
      ), waits as (
        insert into awaited (predecessor, id, run_anyway)
        select predecessor, id, run_anyway from linked where is_awaited
      )
      insert into dependency_due (id, state)
      select distinct predecessor, ended from linked where is_awaited and ended is not null
      """;

  /**
   * One node tells at a time, so that nobody counts an end twice. No plan may read a table from its
   * beginning to its end, however small it was, and none is made twice: to make it takes longer
   * than to tell one end.
   */
  private static final String ALONE =
      """
      select pg_advisory_xact_lock(hashtext('millpond.dependencies')),
             set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true);
      """;

  /**
   * Tells the oldest ends to those who wait for them (primary key of awaited), a bounded number of
   * each. Who waits is locked in the order of ids, as CANCEL does, and only then counted; whoever
   * has been cancelled or expired meanwhile is not there any more.
   *
   * <p>A job whose last predecessor has ended becomes ready, or waits for its runAt, or in the line
   * of its concurrency key, of which a note is left. One that has a predecessor which did not
   * succeed is cancelled, and so is at once what depends on it, to the end of the chain; what waits
   * for these and is to run anyway is told by their own ends, which the trigger of finished makes
   * known.
   */
  private static final String RESOLVE =
      """
      with recursive oldest as materialized (
        select number, id, state from dependency_due order by number limit 500
      ), due as materialized (
        select distinct on (id) id, state
        from oldest
        where not exists (select from ready where ready.id = oldest.id)
          and not exists (select from delayed where delayed.id = oldest.id)
          and not exists (select from lease where lease.id = oldest.id)
        order by id, number desc
      ), edge as materialized (
        select due.id as predecessor, due.state, next.id, next.run_anyway
        from due, lateral (
          select awaited.id, awaited.run_anyway from awaited
          where awaited.predecessor = due.id
          order by awaited.id
          limit 5000) as next
        order by due.id, next.id
        limit 5000
      ), doomed (id) as (
        select edge.id
        from edge, lateral (
          select from delayed where delayed.id = edge.id and missing is not null offset 0) as waiting
        where edge.state <> 'succeeded' and not edge.run_anyway
        union
        select next.id
        from doomed, lateral (
          select awaited.id
          from awaited, lateral (
            select from delayed where delayed.id = awaited.id and missing is not null offset 0) as waiting
          where awaited.predecessor = doomed.id and not awaited.run_anyway
          offset 0) as next
      ), condemned as materialized (
        select id from doomed limit 5000
      ), locked as materialized (
        select id, missing, (select run_at from job where job.id = delayed.id) as run_at
        from delayed
        where id = any(array(select id from edge union select id from condemned)) and missing is not null
        order by id
        for update
      ), links as materialized (
        select awaited.predecessor, awaited.id
        from (select predecessor, id from edge
              union
              select others.predecessor, others.id
              from condemned, lateral (
                select predecessor, id from awaited where awaited.id = condemned.id offset 0) as others) as ended
        join awaited on awaited.predecessor = ended.predecessor and awaited.id = ended.id
        where (select count(*) from locked) >= 0 -- first
        order by awaited.predecessor, awaited.id
        for update of awaited
      ), closed as (
        delete from awaited
        using links
        where awaited.predecessor = links.predecessor and awaited.id = links.id
        returning awaited.id
      ), next as materialized (
        select locked.id, locked.run_at, locked.missing - counted.ends as missing, condemned.id is not null as condemned
        from locked
        join (select id, count(*)::int as ends from closed group by id) as counted on counted.id = locked.id
        left join condemned on condemned.id = locked.id
      ), told as (
        delete from dependency_due
        where number = any(array(
          select number from oldest
          where (select count(*) from edge) < 5000
             or id < (select predecessor from edge order by predecessor desc limit 1)))
      ), withdrawn as (
        delete from delayed
        where id = any(array(select id from next where condemned))
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant
      ), freed as (
        delete from delayed
        where id = any(array(
          select id from next where not condemned and missing <= 0 and (run_at is null or run_at <= now())))
        returning id, start_by, started_at, version, attempt, recoveries, max_attempts, priority, queue, tenant
      ), lowered as (
        update delayed
        set missing = case when next.missing > 0 then next.missing end,
            due_at = case when next.missing > 0 then due_at else next.run_at end,
            version = case when next.missing > 0 then version else version + 1 end
        from next
        where delayed.id = next.id and not next.condemned and (next.missing > 0 or next.run_at > now())
        returning delayed.id, delayed.queue, delayed.tenant, delayed.missing, delayed.due_at
      ), final as (
        insert into finished (id, finished_at, started_at, version, attempt, recoveries, max_attempts, state, error_type,
                              error_message)
        select withdrawn.id, now(), started_at, version + 1, attempt, recoveries, max_attempts, 'cancelled',
               'dependency-failed',
               'job ' || cause.predecessor || ', on which it depends, '
                 || case coalesce((select state from due where due.id = cause.predecessor), 'cancelled')
                      when 'failed' then 'failed' when 'expired' then 'expired' else 'was cancelled' end
        from withdrawn, lateral (
          select predecessor from awaited
          where awaited.id = withdrawn.id and not run_anyway
            and (predecessor in (select id from due where state <> 'succeeded')
                 or predecessor in (select id from condemned))
          limit 1) as cause
      ), placed as (
        select freed.*, type_of(freed.id) as type, job.concurrency_key as key
        from freed left join job on job.id = freed.id
      ), started as (
        insert into ready (id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts,
                           priority, queue, type, tenant)
        select id, (extract(epoch from now()) * 1000000)::bigint, now(), start_by, started_at, version + 1, attempt,
               recoveries, max_attempts, priority, queue, type, tenant
        from placed
        where key is null
      ), lined as (
        insert into delayed (id, due_at, start_by, started_at, version, attempt, recoveries, max_attempts, priority,
                             queue, tenant, key, rank)
        select id, '9999-12-31', start_by, started_at, version + 1, attempt, recoveries, max_attempts, priority, queue,
               tenant, key, (extract(epoch from now()) * 1000000)::bigint
        from placed
        where key is not null
      ), noted as (
        insert into key_note (queue, key)
        select distinct queue, key
        from placed
        where key is not null
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, sum(waiting), sum(runnable), 0
        from (select queue, tenant, 0 as waiting, 1 as runnable from placed where key is null
              union all
              select queue, tenant, -1, 0 from withdrawn) as moved
        group by queue, tenant
      )
      select id, queue, tenant, key, 0 as waiting, case when key is null then 1 else 0 end as runnable,
             null::bigint as delay_ms, 0 as ends
      from placed
      union all
      select id, queue, tenant, null, -1, 0, null, 0 from withdrawn
      union all
      select id, queue, tenant, null, 0, 0, greatest(0, extract(epoch from due_at - now()) * 1000)::bigint, 0
      from lowered
      where missing is null
      union all
      select null, null, null, null, 0, 0, null, count(*)::int from oldest
      """;

  private final NamedParameterJdbcTemplate template;
  private final JdbcClient jdbc;

  DependencySql(NamedParameterJdbcTemplate template) {
    this.template = template;
    this.jdbc = JdbcClient.create(template);
  }

  /**
   * Holds jobs as they stand until the transaction ends; empty if one of them moved on meanwhile,
   * and the transaction is to begin anew: to lock more now could be out of order.
   */
  Optional<Held> hold(Collection<UUID> ids) {
    jdbc.sql(SOON).query().listOfRows();
    Set<UUID> locked = new HashSet<>();
    Set<QueueName> passedOver = new HashSet<>();
    for (String statement : List.of(HOLD_READY, HOLD_DELAYED, HOLD_LEASED)) {
      jdbc.sql(statement)
          .param("ids", uuids(ids))
          .query(
              row -> {
                locked.add(row.getObject("id", UUID.class));
                if (row.getBoolean("waits")) {
                  passedOver.add(new QueueName(row.getString("queue")));
                }
              });
    }
    Map<UUID, JobState> ended = new HashMap<>();
    Set<UUID> moved = new HashSet<>();
    jdbc.sql(LOOK)
        .param("ids", uuids(ids))
        .query(
            row -> {
              UUID id = row.getObject("id", UUID.class);
              String state = row.getString("state");
              if (state != null) {
                ended.put(id, JobState.of(state));
              } else if (!locked.contains(id)) {
                moved.add(id);
              }
            });
    return moved.isEmpty() ? Optional.of(new Held(locked, ended, passedOver)) : Optional.empty();
  }

  void link(List<Link> links) {
    jdbc.sql(LINK)
        .param("ids", array("uuid", links, Link::id))
        .param("predecessors", array("uuid", links, Link::predecessor))
        .param("places", array("int", links, Link::place))
        .param("anyway", array("boolean", links, Link::runAnyway))
        .param("awaited", array("boolean", links, Link::isAwaited))
        .param(
            "ended",
            array("text", links, link -> link.ended() == null ? null : link.ended().label()))
        .update();
  }

  /**
   * A job that waits for others no longer, and what that changed of the books: no job more waits,
   * or one less.
   *
   * @param key its concurrency key, if it waits for that now; null else
   * @param delayMillis how long it still waits for its runAt; null if it is ready, or cancelled
   */
  record Moved(
      UUID id,
      QueueName queue,
      @Nullable String tenant,
      @Nullable String key,
      int waiting,
      int runnable,
      @Nullable Long delayMillis) {}

  /**
   * What came of telling ends.
   *
   * @param ends how many there were to be told; there may be more while there are some
   */
  record Told(List<Moved> moved, int ends) {}

  Told resolve(UUID account) {
    Told told =
        template.execute(
            ALONE + RESOLVE,
            new MapSqlParameterSource("account", account),
            DependencySql::resolved);
    return told == null ? new Told(List.of(), 0) : told;
  }

  private static Told resolved(PreparedStatement statement) throws SQLException {
    statement.execute();
    statement.getMoreResults();
    List<Moved> moved = new ArrayList<>();
    int ends = 0;
    ResultSet row = statement.getResultSet();
    while (row.next()) {
      ends += row.getInt("ends");
      if (row.getString("id") != null) {
        moved.add(
            new Moved(
                row.getObject("id", UUID.class),
                new QueueName(row.getString("queue")),
                row.getString("tenant"),
                row.getString("key"),
                row.getInt("waiting"),
                row.getInt("runnable"),
                row.getObject("delay_ms", Long.class)));
      }
    }
    return new Told(moved, ends);
  }

  private static SqlArrayValue uuids(Collection<UUID> ids) {
    return array("uuid", ids, id -> id);
  }

  private static <T> SqlArrayValue array(
      String type, Collection<T> rows, Function<T, @Nullable Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
