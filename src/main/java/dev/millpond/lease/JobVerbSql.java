package dev.millpond.lease;

import dev.millpond.job.JobState;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/**
 * The statements by which people change jobs, beside those by which workers do: on the connections
 * of requests, so that they do not keep renewals from theirs. Each is atomic by itself.
 */
@Component
final class JobVerbSql {

  /**
   * Cancels jobs: at once where they wait, by a request where they run, if those are meant too. By
   * primary keys, locked in the order of ids, as settlements are. A claim or a settlement may move
   * a job while this waits for its row; then it is not found, and the caller looks again. A note is
   * left of the lines that they were in: who comes next may have another limit.
   */
  private static final String CANCEL =
      """
      with waiting as (
        delete from ready
        using (select id from ready where id = any(:ids) order by id for update) as locked
        where ready.id = locked.id
        returning ready.id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, null as key,
                  1 as runnable
      ), later as (
        delete from delayed
        using (select id from delayed where id = any(:ids) order by id for update) as locked
        where delayed.id = locked.id
        returning delayed.id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, key,
                  0 as runnable
      ), withdrawn as (
        select * from waiting union all select * from later
      ), noted as (
        insert into key_note (queue, key) select distinct queue, key from later where key is not null
      ), final as (
        insert into finished (id, finished_at, started_at, version, attempt, recoveries, max_attempts, state)
        select id, now(), started_at, version + 1, attempt, recoveries, max_attempts, 'cancelled'
        from withdrawn
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, -count(*), -sum(runnable), 0
        from withdrawn
        group by queue, tenant
      ), asked as (
        update lease set cancel_requested = true, version = version + 1
        from (select id from lease
              where :running and id = any(:ids) and not cancel_requested
              order by id
              for update) as locked
        where lease.id = locked.id
        returning lease.id, queue, tenant
      )
      select id, queue, tenant, -1 as waiting, -runnable as runnable from withdrawn
      union all
      select id, queue, tenant, 0, 0 from asked
      """;

  /**
   * Makes a job that waits for a time ready now, or sends it to the line of its concurrency key if
   * it has no slot of it; by the primary key.
   */
  private static final String HURRY =
      """
      with due as (
        delete from delayed where id = :id and key is null and missing is null
        returning id, start_by, started_at, version, attempt, recoveries, max_attempts, priority, queue, tenant
      ), placed as (
        select due.*, type_of(due.id) as type,
               case when not (due.started_at is not null
                              and coalesce((select alone from key_slot where key_slot.id = due.id), false))
                 then job.concurrency_key end as key
        from due join job on job.id = due.id
      ), promoted as (
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
        insert into key_note (queue, key) select queue, key from placed where key is not null
      )
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :account, tenant, 0, case when key is null then 1 else 0 end, 0
      from placed
      returning queue, tenant, waiting, runnable
      """;

  /**
   * Queues finished jobs again, their attempts kept and as many more granted as their policies say,
   * if the account that has room for them is open; where they are to be spread, each later than the
   * one before. By the primary key, locked in the order of ids; two redrives at once: the second
   * finds no finished row. Who was not told yet of this end will be of the next. With a concurrency
   * key they go to its line, or later; a slot that they had before is surely gone with this. What a
   * job was still waiting for when it was cancelled or expired it waits for no more (index
   * awaited_id).
   *
   * <p>A job that had a unique key needs it again, and stays where it is if another one holds it:
   * of several the newest takes it. What has expired is taken over.
   */
  private static final String REDRIVE =
      """
      with open as (
        select id from account where id = :account for key share
      ), locked as (
        select id from finished
        where id = any(:ids) and state = any(:states) and exists (select from open)
        order by id
        for update
      ), keyed as (
        select job.id, job.queue, job.unique_key, job.unique_until
        from locked join job on job.id = locked.id
        where job.unique_key is not null
      ), taken as (
        insert into unique_key (queue, key, job, until)
        select distinct on (queue collate "C", unique_key collate "C") queue, unique_key, id, unique_until
        from keyed
        order by queue collate "C", unique_key collate "C", id desc
        on conflict (queue, key) do update
        set job = excluded.job, until = excluded.until, expires_at = null
        where unique_key.expires_at <= now()
        returning job
      ), old as (
        delete from finished
        using locked
        where finished.id = locked.id
          and (locked.id not in (select id from keyed) or locked.id in (select job from taken))
        returning finished.id, token, leased_at, finished_at, started_at, version, attempt, recoveries, max_attempts,
                  worker, error_type, error_message
      ), untold as (
        delete from callback_due using old where callback_due.id = old.id
      ), slots as (
        delete from key_slot using old where key_slot.id = old.id
      ), unawaiting as (
        delete from awaited
        using (select predecessor, awaited.id
               from awaited join old on old.id = awaited.id
               order by predecessor, awaited.id
               for update of awaited) as locked
        where awaited.predecessor = locked.predecessor and awaited.id = locked.id
      ), history as (
        insert into attempt (id, token, started_at, finished_at, number, worker, error_type, error_message)
        select id, token, leased_at, finished_at, attempt, worker, error_type, error_message
        from old
        where leased_at is not null
      ), again as (
        select old.id, old.started_at, old.version + 1 as version, old.attempt,
               old.max_attempts + old.recoveries + job.max_attempts as max_attempts, job.priority, job.queue,
               job.type, job.tenant, job.concurrency_key as key,
               now() + (:first_us + (row_number() over (order by old.id) - 1) * :step_us) * interval '1 microsecond'
                 as due_at
        from old join job on job.id = old.id
      ), now_ready as (
        insert into ready (id, rank, runnable_at, started_at, version, attempt, recoveries, max_attempts, priority,
                           queue, type, tenant)
        select id, (extract(epoch from now()) * 1000000)::bigint, now(), started_at, version, attempt, 0, max_attempts,
               priority, queue, type, tenant
        from again
        where due_at <= now() and key is null
      ), later as (
        insert into delayed (id, due_at, started_at, version, attempt, recoveries, max_attempts, priority, queue, tenant)
        select id, due_at, started_at, version, attempt, 0, max_attempts, priority, queue, tenant
        from again
        where due_at > now()
      ), lined as (
        insert into delayed (id, due_at, started_at, version, attempt, recoveries, max_attempts, priority, queue, tenant,
                             key, rank)
        select id, '9999-12-31', started_at, version, attempt, 0, max_attempts, priority, queue, tenant, key,
               (extract(epoch from now()) * 1000000)::bigint
        from again
        where due_at <= now() and key is not null
      ), noted as (
        insert into key_note (queue, key)
        select distinct queue, key
        from again
        where key is not null
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, count(*), count(*) filter (where due_at <= now() and key is null), 0
        from again
        group by queue, tenant
      )
      select id, queue, tenant, 1 as waiting, case when due_at <= now() and key is null then 1 else 0 end as runnable
      from again
      union all
      select null, null, null, 0, 0 from open
      """;

  /** Removes a finished job and all that is stored of it; by primary keys. */
  private static final String REMOVE =
      """
      with gone as (
        delete from finished where id = :id returning id
      ), log as (
        delete from job_log using gone where job_log.id = gone.id
      ), history as (
        delete from attempt using gone where attempt.id = gone.id
      ), untold as (
        delete from callback_due using gone where callback_due.id = gone.id
      ), calls as (
        delete from callback_attempt using gone where callback_attempt.id = gone.id
      ), called_back as (
        delete from callback using gone where callback.id = gone.id
      ), dependent as (
        delete from dependency using gone where dependency.id = gone.id
      )
      delete from job using gone where job.id = gone.id
      """;

  private final JdbcClient jdbc;

  JobVerbSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** A job that was moved, and what that changed of the books. */
  record Moved(UUID id, Booked booked) {}

  private static Moved moved(ResultSet row, int n) throws SQLException {
    return new Moved(row.getObject("id", UUID.class), LeaseSql.booked(row, n));
  }

  /** Those of the jobs that are cancelled now, or run and were asked to stop: they book nothing. */
  List<Moved> cancel(UUID account, List<UUID> ids, boolean running) {
    return jdbc.sql(CANCEL)
        .param("account", account)
        .param("ids", uuids(ids))
        .param("running", running)
        .query(JobVerbSql::moved)
        .list();
  }

  Optional<Booked> hurry(UUID account, UUID id) {
    return jdbc.sql(HURRY)
        .param("account", account)
        .param("id", id)
        .query(LeaseSql::booked)
        .optional();
  }

  /**
   * Those of the jobs that wait again; empty if the account is closed.
   *
   * @param states only what has ended so
   * @param first how long the first one waits
   * @param step how much longer each one waits than the one before
   */
  Optional<List<Moved>> redrive(
      UUID account, List<UUID> ids, Set<JobState> states, Duration first, Duration step) {
    // The account's row is the one without a job.
    List<Optional<Moved>> rows =
        jdbc.sql(REDRIVE)
            .param("account", account)
            .param("ids", uuids(ids))
            .param(
                "states", new SqlArrayValue("text", states.stream().map(JobState::label).toArray()))
            .param("first_us", first.toNanos() / 1_000)
            .param("step_us", step.toNanos() / 1_000)
            .query(
                (row, n) ->
                    row.getString("id") == null
                        ? Optional.<Moved>empty()
                        : Optional.of(moved(row, n)))
            .list();
    return rows.isEmpty()
        ? Optional.empty()
        : Optional.of(rows.stream().flatMap(Optional::stream).toList());
  }

  boolean remove(UUID id) {
    return jdbc.sql(REMOVE).param("id", id).update() > 0;
  }

  private static SqlArrayValue uuids(List<UUID> ids) {
    return new SqlArrayValue("uuid", ids.toArray());
  }
}
