package dev.millpond.lease;

import dev.millpond.job.JobState;
import dev.millpond.job.Outcome;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.RetryPolicy;
import dev.millpond.queue.StartRate;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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

/**
 * The statements that lead a job from waiting through its lease to the next state, in the order of
 * its life; what people do to it beside that is in {@link JobVerbSql}. Each is atomic by itself: a
 * job moves by a delete and an insert in one statement. Where a row is looked for by order, locked
 * ones are skipped; where it is named, the statement waits for it.
 */
@Component
final class LeaseSql {

  /**
   * Moves what is due from delayed to ready (index delayed_due), or, if it has a concurrency key
   * and no slot of it, to the key's line, of which a note is left; and tells which queues have
   * ready jobs, by stepping from queue to queue through ready_next: the cost is that of the queues
   * with work, not of the jobs.
   */
  private static final String POLL =
      """
      with recursive due as (
        delete from delayed
        where ctid = any(array(
          select ctid from delayed
          where due_at <= now()
          order by due_at
          limit 1000
          for update skip locked))
        returning id, due_at, start_by, started_at, version, attempt, recoveries, max_attempts, priority, queue, tenant
      ), placed as (
        select due.*, job.type,
               case when not (due.started_at is not null
                              and coalesce((select alone from key_slot where key_slot.id = due.id), false))
                 then job.concurrency_key end as key
        from due left join job on job.id = due.id
      ), promoted as (
        insert into ready (id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts,
                           priority, queue, type, tenant)
        select id, (extract(epoch from due_at) * 1000000)::bigint, due_at, start_by, started_at, version + 1, attempt,
               recoveries, max_attempts, priority, queue, type, tenant
        from placed
        where key is null
      ), lined as (
        insert into delayed (id, due_at, start_by, started_at, version, attempt, recoveries, max_attempts, priority,
                             queue, tenant, key, rank)
        select id, '9999-12-31', start_by, started_at, version + 1, attempt, recoveries, max_attempts, priority, queue,
               tenant, key, (extract(epoch from due_at) * 1000000)::bigint
        from placed
        where key is not null
      ), noted as (
        insert into key_note (queue, key)
        select distinct queue, key
        from placed
        where key is not null
        returning queue, key
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, 0, count(*), 0
        from placed
        where key is null
        group by queue, tenant
        returning queue, tenant, runnable
      ), head (queue) as (
        (select queue from ready where recoveries = 0 order by queue limit 1)
        union all
        select (select ready.queue from ready
                where ready.recoveries = 0 and ready.queue > head.queue
                order by ready.queue
                limit 1)
        from head
        where head.queue is not null
      )
      select queue, false as suspect, null as tenant, 0 as promoted, null::bigint as next_due_ms, null as key
      from head
      where queue is not null
      union all
      select queue, false, tenant, runnable, null, null from booked
      union all
      select queue, false, null, 0, null, key from noted
      union
      select queue, true, null, 0, null, null from due where recoveries > 0
      union
      select queue, true, null, 0, null, null from ready where recoveries > 0
      union all
      select null, false, null, 0,
             case when (select count(*) from due) >= 1000 then 0
                  else (extract(epoch from min(due_at) - now()) * 1000)::bigint end,
             null
      from delayed
      where due_at > now()
      """;

  /**
   * The claim. The candidates come in order from ready_next (or ready_suspect) and are locked as
   * they are found; what another claim has locked is skipped. "ctid = any(array(…))" and not "in
   * (select …)", which would leave the join order to the planner. With a concurrency limit the
   * leases of the queue are counted under the lock of CLAIM_WITHIN, and with a rate limit the time
   * of the next start is read and moved on, as far behind the last one as the limit in force says:
   * one that is corrected is in force at once. The start is stamped by the clock, since now() is
   * from before the lock. A job whose startBy has passed ends here and takes no slot; then all that
   * were taken let go of their unique keys, by one trigger or the other, and these are locked
   * before in the one order that submits know.
   *
   * <p>Where only some types are wanted, the next ones of each come from ready_next_of_type, so
   * that the cost is that of the types wanted and not of the jobs of others before them: as many of
   * each type are locked as all together are taken. Another claim skips for a moment what this one
   * will not take, and may be left with less than there is; the next poll finds it.
   *
   * <p>A pull worker gets no suspect while it holds one, and no lease beyond the job's timeout.
   */
  private static final String CLAIM =
      """
      with clock (at) as (
        select clock_timestamp()
      ), pace (next_at) as (
        select greatest(
          (select last_at + :interval_us * interval '1 microsecond' from start_rate where queue = :queue),
          at - :tolerance_ms * interval '1 ms')
        from clock
      ), allowed (jobs, at) as (
        select case when :concurrency::int is null and :interval_us::bigint is null then :max::int
                    when current_setting('millpond.locked', true) = '1'
                      then greatest(0, least(
                        :max,
                        :concurrency - (select count(*) from lease where queue = :queue),
                        (select floor(extract(epoch from clock.at - next_at) * 1000000 / :interval_us) + 1 from pace)))::int
                    else 0
               end,
               at
        from clock
      ), suspect (place) as materialized (
        select ctid from ready
        where queue = :queue and recoveries > 0 and (cardinality(:types::text[]) = 0 or type = any(:types))
          and not (:pulled and exists (
            select from lease where worker = :worker and ends_at is not null and recoveries > 0))
        order by priority desc, rank, id
        limit (select least(:suspects, jobs) from allowed)
        for update skip locked
      ), others (jobs) as (
        select least(:others, jobs - (select count(*) from suspect)) from allowed
      ), taken as (
        delete from ready
        where ctid = any(array(select place from suspect)
          || array(
            select ctid from ready
            where queue = :queue and recoveries = 0 and cardinality(:types::text[]) = 0
            order by priority desc, rank, id
            limit (select jobs from others)
            for update skip locked)
          || array(
            select next.place
            from unnest(:types::text[]) as wanted (type), lateral (
              select ctid as place, priority, rank, id from ready
              where queue = :queue and ready.type = wanted.type and recoveries = 0
              order by priority desc, rank, id
              limit (select jobs from others)
              for update skip locked) as next
            order by next.priority desc, next.rank, next.id
            limit (select jobs from others)))
        returning id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts, priority,
                  queue, tenant, coalesce(start_by < now(), false) as expired
      ), keys (held) as materialized (
        select count(*)
        from (select from unique_key
              where (select bool_or(expired) from taken) and job = any(array(select id from taken))
              order by queue, key
              for update) as locked
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, -count(*), -count(*), 0
        from taken
        group by queue, tenant
      ), expired as (
        insert into finished (id, finished_at, started_at, version, attempt, recoveries, max_attempts, state)
        select id, now(), started_at, version + 1, attempt, recoveries, max_attempts, 'expired'
        from taken
        where expired and (select held from keys) >= 0
      ), leased as (
        insert into lease (id, token, expires_at, leased_at, started_at, rank, runnable_at, version, attempt,
                           recoveries, max_attempts, priority, cancel_requested, incarnation, worker, queue, tenant,
                           ends_at, lease_ms)
        select id, :token, least(now() + :lease_ms * interval '1 ms', ends.at), allowed.at,
               coalesce(started_at, allowed.at), rank, runnable_at, version + 1, attempt + 1, recoveries, max_attempts,
               priority, false, :incarnation, :worker, queue, tenant, ends.at, case when :pulled then :lease_ms end
        from taken, allowed, lateral (
          select case when :pulled
                   then allowed.at + (select timeout_ms from job where job.id = taken.id) * interval '1 ms'
                 end) as ends (at)
        where not expired and (select held from keys) >= 0
        returning id
      ), paced as (
        insert into start_rate (queue, last_at)
        select :queue, pace.next_at + (count(*) - 1) * :interval_us * interval '1 microsecond'
        from leased, pace
        where :interval_us is not null
        group by pace.next_at
        on conflict (queue) do update set last_at = excluded.last_at
      )
      select taken.id, taken.expired, taken.attempt + 1 as attempt, taken.recoveries, taken.max_attempts,
             taken.tenant, taken.priority, taken.rank,
             greatest(0, (extract(epoch from now() - taken.runnable_at) * 1000000)::bigint) as waited_us,
             job.type, job.payload, job.timeout_ms, job.initial_delay_ms, job.multiplier, job.max_delay_ms,
             job.max_attempts as policy_attempts, job.traceparent,
             least(now() + :lease_ms * interval '1 ms',
                   case when :pulled then allowed.at + job.timeout_ms * interval '1 ms' end) as expires_at
      from taken join job on job.id = taken.id, allowed
      order by taken.priority desc, taken.rank, taken.id
      """;

  /**
   * The claim where the queue has a limit of concurrency or rate. The queue's row is taken as a
   * lock, so that two nodes do not fill the limit together, and nothing is claimed where another
   * has it. The claim is a statement of its own after it, so that it counts what the last holder
   * has leased. Both go in one round trip, which makes them one transaction: no node that stops
   * between them can keep the lock. So no value may be a null without a type: the driver would end
   * the transaction between them to ask for it.
   */
  private static final String CLAIM_WITHIN =
      """
      select set_config('millpond.locked', count(*)::text, true),
             greatest(0, extract(epoch from
               (select last_at + :interval_us * interval '1 microsecond' from start_rate where queue = :queue)
               - now()) * 1000)::bigint as wait_ms
      from (select from queue where name = :queue for update skip locked) as locked;
      """
          + CLAIM;

  /** What claims have leased, found by their tokens. Looks at all leases, as EXPIRE does. */
  private static final String LEASED =
      """
      select id, token from lease where token = any(:tokens)
      """;

  /**
   * By the primary key, guarded by the token, locked in the order of ids as settlements are. What
   * does not come back is lost. The attempt of a pull worker is not renewed beyond its timeout; for
   * how long its lease is renewed stays as it was if it does not say. Its progress comes with it.
   */
  private static final String RENEW =
      """
      with held as (
        select lease.id, h.lease_ms, h.percent, h.message
        from lease join unnest(:ids::uuid[], :tokens::uuid[], :leases_ms::bigint[], :percents::smallint[], :messages::text[])
            as h (id, token, lease_ms, percent, message)
          on lease.id = h.id and lease.token = h.token
        order by lease.id
        for no key update of lease
      )
      update lease
      set expires_at = least(now() + coalesce(held.lease_ms, lease.lease_ms, :lease_ms) * interval '1 ms', lease.ends_at),
          lease_ms = coalesce(held.lease_ms, lease.lease_ms),
          progress_percent = coalesce(held.percent, lease.progress_percent),
          progress_message = case when held.percent is null then lease.progress_message else held.message end,
          progress_at = case when held.percent is null then lease.progress_at else now() end,
          version = case when held.percent is null then version else version + 1 end
      from held
      where lease.id = held.id
      returning lease.id, lease.token, lease.expires_at, lease.cancel_requested
      """;

  /** By the primary key, guarded by the token. */
  private static final String PROGRESS =
      """
      update lease
      set progress_percent = :percent, progress_message = :message, progress_at = now(), version = version + 1
      where id = :id and token = :token
      """;

  /** Appends log lines of an attempt while its lease is held. */
  private static final String LOG =
      """
      insert into job_log (id, at, attempt, number, line)
      select lease.id, told.at, lease.attempt, told.number, told.line
      from lease, unnest(:ats::timestamptz[], :numbers::bigint[], :lines::text[]) as told (at, number, line)
      where lease.id = :id and lease.token = :token
      on conflict do nothing
      """;

  /**
   * Appends what a pull worker logged, within the bounds of an attempt: by the primary key of
   * job_log, at most a thousand rows. It knows no other numbers than those of the rows before, and
   * the database's time.
   */
  private static final String LOG_WITHIN =
      """
      insert into job_log (id, at, attempt, number, line)
      select held.id, now(), held.attempt,
             greatest((extract(epoch from now()) * 1000000)::bigint, before.number) + told.place,
             case when before.lines + told.place = 1000 or before.bytes + told.bytes > 65536
                  then '… further lines are dropped' else told.line end
      from lease as held, lateral (
          select coalesce(max(number), 0) as number, count(*) as lines, coalesce(sum(octet_length(line)), 0) as bytes
          from job_log
          where job_log.id = held.id and job_log.attempt = held.attempt) as before,
        (select line, place, sum(octet_length(line)) over (order by place) as bytes
         from unnest(:lines::text[]) with ordinality as line (line, place)) as told
      where held.id = :id and held.token = :token
        and before.lines + told.place <= 1000
        and before.bytes + told.bytes - octet_length(told.line) <= 65536
      on conflict do nothing
      """;

  /** Attempts of pull workers, as far as their failures need it. By the primary keys. */
  private static final String HELD =
      """
      select lease.id, lease.token, lease.attempt - lease.recoveries as failures, lease.max_attempts,
             job.max_attempts as policy_attempts, job.initial_delay_ms, job.multiplier, job.max_delay_ms
      from lease
      join unnest(:ids::uuid[], :tokens::uuid[]) as h (id, token) on lease.id = h.id and lease.token = h.token
      join job on job.id = lease.id
      """;

  /**
   * The attempts of pull workers that have timed out: what is found is settled by its token. Looks
   * at all leases, as EXPIRE does, and is as patient after the database was away.
   */
  private static final String TIMED_OUT =
      """
      select lease.id, lease.token, lease.attempt - lease.recoveries as failures, lease.max_attempts,
             job.max_attempts as policy_attempts, job.initial_delay_ms, job.multiplier, job.max_delay_ms
      from lease join job on job.id = lease.id
      where lease.ends_at <= now() and pg_postmaster_start_time() < now() - :lease_ms * interval '1 ms'
      limit 500
      """;

  /**
   * The settlement of a group. By the primary key, guarded by the token: the only way from a lease
   * to a settled state. While cancelling, success still is success, and all else becomes cancelled;
   * a cancel that nobody asked for changes nothing. A job that returns to wait keeps its rank if
   * the attempt does not count. An answer without a queue changed nothing: its lease was lost, or,
   * if it has a state, the very same settlement was written before, or beside it in the group,
   * which the token in finished or attempt tells. Whether somebody is to be told of a job's end is
   * found by the primary key of callback, who waits for it by that of awaited, and its concurrency
   * key, if it had a slot, by that of key_slot.
   */
  private static final String SETTLE =
      """
      with settled as (
        select *
        from unnest(:ids::uuid[], :tokens::uuid[], :outcomes::text[], :results::text[], :error_types::text[],
                    :error_messages::text[], :delays_ms::bigint[], :accounts::uuid[])
          with ordinality as s (id, token, outcome, result, error_type, error_message, delay_ms, account, place)
        order by id
      ), ended as (
        delete from lease
        using settled s
        where lease.id = s.id and lease.token = s.token
          and (lease.cancel_requested or s.outcome <> 'cancelled')
        returning lease.id, lease.token, lease.leased_at, lease.started_at, lease.rank, lease.runnable_at,
                  lease.version, lease.attempt, lease.recoveries, lease.max_attempts, lease.priority,
                  lease.progress_percent, lease.progress_at, lease.progress_message, lease.worker, lease.queue,
                  lease.tenant, s.account, s.place, s.outcome, s.result, s.error_type, s.error_message,
                  s.outcome = 'released' as released,
                  now() + s.delay_ms * interval '1 ms' as due_at,
                  case when s.outcome = 'succeeded' then 'succeeded'
                       when lease.cancel_requested then 'cancelled'
                       when s.outcome = 'failed' then 'failed'
                       when s.delay_ms <= 0 then 'queued'
                       when s.outcome = 'released' and lease.attempt = 1 then 'scheduled'
                       else 'retrying' end as state
      ), final as (
        insert into finished (id, token, finished_at, leased_at, started_at, version, attempt, recoveries, max_attempts,
                              progress_percent, progress_at, state, worker, progress_message, error_type,
                              error_message, result)
        select id, token, now(), leased_at, started_at, version + 1, attempt, recoveries, max_attempts,
               progress_percent, progress_at, state, worker, progress_message, error_type, error_message, result
        from ended
        where state in ('succeeded', 'failed', 'cancelled')
      ), history as (
        insert into attempt (id, token, started_at, finished_at, number, worker, error_type, error_message)
        select id, token, leased_at, now(), attempt, worker, error_type, error_message
        from ended
        where state in ('queued', 'retrying') and not released
      ), again as (
        insert into ready (id, rank, runnable_at, started_at, version, attempt, recoveries, max_attempts, priority,
                           queue, type, tenant)
        select id, case when released then rank else (extract(epoch from now()) * 1000000)::bigint end,
               case when released then runnable_at else now() end, started_at, version + 1,
               case when released then attempt - 1 else attempt end, recoveries, max_attempts, priority, queue,
               (select type from job where job.id = ended.id), tenant
        from ended
        where state = 'queued'
      ), later as (
        insert into delayed (id, due_at, started_at, version, attempt, recoveries, max_attempts, priority, queue,
                             tenant)
        select id, due_at, started_at, version + 1, case when released then attempt - 1 else attempt end, recoveries,
               max_attempts, priority, queue, tenant
        from ended
        where state in ('scheduled', 'retrying')
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, account, tenant, count(*), count(*) filter (where state = 'queued'), 0
        from ended
        where state in ('queued', 'scheduled', 'retrying')
        group by queue, account, tenant
      )
      select case when ended.place = s.place then ended.queue end as queue, ended.tenant, ended.recoveries,
             (select callback.id from callback where callback.id = ended.id) is not null as called_back,
             (select key_slot.key from key_slot where key_slot.id = ended.id) as key,
             case when ended.state in ('succeeded', 'failed', 'cancelled') then is_awaited(ended.id) else false end
               as awaited,
             case when ended.id is null
                    then coalesce(
                      (select f.state from finished f
                       where f.id = s.id and f.token = s.token
                         and (f.state = 'succeeded') = (s.outcome = 'succeeded')
                         and f.error_type is not distinct from s.error_type),
                      (select 'retrying' from attempt a
                       where a.id = s.id and a.token = s.token
                         and s.outcome in ('retry', 'failed') and a.error_type = s.error_type))
                  when (ended.outcome = 'succeeded') = (s.outcome = 'succeeded')
                      and ended.error_type is not distinct from s.error_type
                    then ended.state end as state
      from settled s left join ended on ended.id = s.id and ended.token = s.token
      order by s.place
      """;

  /**
   * Takes back leases whose worker is not heard of, and those of a former life of this node at
   * once, but not those that pull workers hold, nor what has timed out. Looks at all leases: they
   * are as many as slots and what pull workers have claimed. Nothing expires until the server has
   * been up for one lease, since while it was away nobody could renew. The third death of a worker
   * under a job fails it.
   */
  private static final String EXPIRE =
      """
      with lost as (
        delete from lease
        where ctid = any(array(
          select ctid from lease
          where (expires_at < now() and not :quiet and (ends_at is null or ends_at > now())
                 and pg_postmaster_start_time() < now() - :lease_ms * interval '1 ms')
             or (worker = :worker and incarnation <> :incarnation and ends_at is null)
          limit 500
          for update skip locked))
        returning id, leased_at, started_at, rank, runnable_at, version, attempt, recoveries, max_attempts, priority,
                  progress_percent, progress_at, progress_message, worker, queue, tenant,
                  case when cancel_requested then 'cancelled'
                       when recoveries + 1 >= 3 then 'failed'
                       else 'queued' end as state
      ), final as (
        insert into finished (id, finished_at, leased_at, started_at, version, attempt, recoveries, max_attempts,
                              progress_percent, progress_at, state, worker, progress_message, error_type, error_message)
        select id, now(), leased_at, started_at, version + 1, attempt, recoveries + 1, max_attempts,
               progress_percent, progress_at, state, worker, progress_message, 'worker-lost',
               'the worker was lost while it ran the job'
        from lost
        where state <> 'queued'
      ), history as (
        insert into attempt (id, started_at, finished_at, number, worker, error_type, error_message)
        select id, leased_at, now(), attempt, worker, 'worker-lost', 'the worker was lost while it ran the job'
        from lost
        where state = 'queued'
      ), again as (
        insert into ready (id, rank, runnable_at, started_at, version, attempt, recoveries, max_attempts, priority,
                           queue, type, tenant)
        select id, rank, runnable_at, started_at, version + 1, attempt, recoveries + 1, max_attempts, priority, queue,
               (select type from job where job.id = lost.id), tenant
        from lost
        where state = 'queued'
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, count(*), count(*), 0
        from lost
        where state = 'queued'
        group by queue, tenant
      )
      select queue, tenant, state from lost
      """;

  /**
   * Ends waiting jobs whose startBy has passed; by the partial indexes on start_by. A note is left
   * of the lines that they were in.
   */
  private static final String EXPIRE_WAITING =
      """
      with ready_late as (
        delete from ready
        where ctid = any(array(
          select ctid from ready where start_by < now() limit 500 for update skip locked))
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, null as key, 1 as runnable
      ), delayed_late as (
        delete from delayed
        where ctid = any(array(
          select ctid from delayed where start_by < now() limit 500 for update skip locked))
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, key, 0 as runnable
      ), late as (
        select * from ready_late union all select * from delayed_late
      ), noted as (
        insert into key_note (queue, key) select distinct queue, key from delayed_late where key is not null
      ), final as (
        insert into finished (id, finished_at, started_at, version, attempt, recoveries, max_attempts, state)
        select id, now(), started_at, version + 1, attempt, recoveries, max_attempts, 'expired'
        from late
      )
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :account, tenant, -count(*), -sum(runnable), 0
      from late
      group by queue, tenant
      returning queue, tenant, waiting, runnable
      """;

  /** No process of ours. */
  private static final UUID ELSEWHERE = new UUID(0, 0);

  private final NamedParameterJdbcTemplate template;
  private final JdbcClient jdbc;

  /** For what clients ask for, which must not keep renewals from their connections. */
  private final NamedParameterJdbcTemplate requestTemplate;

  private final JdbcClient requests;

  private final Node node;
  private final long leaseMillis;

  LeaseSql(
      @Qualifier("leases") NamedParameterJdbcTemplate template,
      NamedParameterJdbcTemplate requests,
      Node node,
      LeaseProperties properties) {
    this.template = template;
    this.jdbc = JdbcClient.create(template);
    this.requestTemplate = requests;
    this.requests = JdbcClient.create(requests);
    this.node = node;
    this.leaseMillis = properties.duration().toMillis();
  }

  /**
   * A row of POLL: a queue with ready jobs, or, without a queue, the time until the next job is
   * due.
   *
   * @param promoted how many of the tenant's jobs were made ready
   * @param key if jobs have come to the line of this concurrency key; nothing else is told then
   */
  record Head(
      @Nullable String queue,
      boolean suspect,
      @Nullable String tenant,
      int promoted,
      @Nullable Long nextDueMillis,
      @Nullable String key) {}

  /**
   * What a claim wants.
   *
   * @param others how many jobs at most under which no worker died
   * @param suspects how many at most under which one did
   * @param types only these; none for all
   * @param puller for whom it is; null for this node
   */
  record Wanted(
      QueueName queue, int others, int suspects, Set<String> types, @Nullable Claim puller) {

    int max() {
      return Math.max(others, suspects);
    }
  }

  /** A claimed job: leased, or expired and ended. */
  record Claimed(
      UUID id, @Nullable String tenant, int priority, long rank, @Nullable Lease lease) {}

  /** A job whose lease expired, and the state it is in now. */
  record Expired(QueueName queue, @Nullable String tenant, JobState state) {}

  /** An attempt's end as the columns of SETTLE. */
  record SettledRow(
      UUID id,
      UUID token,
      String outcome,
      @Nullable String result,
      @Nullable String errorType,
      @Nullable String errorMessage,
      long delayMillis,
      UUID account) {}

  /**
   * What SETTLE says.
   *
   * @param state the job's; null if the lease was lost
   * @param queue the job's; null if this settlement changed nothing
   * @param recoveries of the job that changed
   * @param calledBack whether somebody is to be told of its end
   * @param key its concurrency key, if it had a slot of it; null for none
   * @param awaited whether other jobs wait for it
   */
  record SettledAs(
      @Nullable JobState state,
      @Nullable QueueName queue,
      @Nullable String tenant,
      int recoveries,
      boolean calledBack,
      @Nullable String key,
      boolean awaited) {}

  /**
   * What the end of an attempt needs to know of it.
   *
   * @param failures how many attempts will have failed if this one does
   */
  record Held(UUID id, UUID token, int failures, int maxAttempts, RetryPolicy retry) {}

  List<Head> poll(UUID account) {
    return jdbc.sql(POLL)
        .param("account", account)
        .query(
            (row, n) ->
                new Head(
                    row.getString("queue"),
                    row.getBoolean("suspect"),
                    row.getString("tenant"),
                    row.getInt("promoted"),
                    row.getObject("next_due_ms", Long.class),
                    row.getString("key")))
        .list();
  }

  /**
   * What a claim took.
   *
   * @param early how long before it the next start was not allowed yet, by the queue's rate limit
   */
  record Taken(List<Claimed> jobs, Duration early) {}

  /** Leases what is wanted, all of it under one token. */
  Taken claim(UUID account, Wanted wanted, @Nullable Queue queue, UUID token) {
    QueueName name = wanted.queue();
    Claim puller = wanted.puller();
    StartRate rate = queue == null ? null : queue.rateLimit();
    MapSqlParameterSource values =
        new MapSqlParameterSource("account", account)
            .addValue("queue", name.value())
            .addValue("max", wanted.max())
            .addValue("others", wanted.others())
            .addValue("suspects", wanted.suspects())
            .addValue("types", texts(wanted.types()))
            .addValue("concurrency", queue == null ? null : queue.concurrency(), Types.INTEGER)
            .addValue("interval_us", rate == null ? null : micros(rate.interval()), Types.BIGINT)
            .addValue(
                "tolerance_ms", rate == null ? null : rate.tolerance().toMillis(), Types.BIGINT)
            .addValue("token", token)
            .addValue("pulled", puller != null)
            .addValue("lease_ms", puller == null ? leaseMillis : puller.lease().toMillis())
            .addValue("incarnation", puller == null ? node.incarnation() : ELSEWHERE)
            .addValue("worker", puller == null ? node.name() : puller.worker());
    RowMapper<Claimed> mapper = (row, n) -> claimed(row, name, token);
    NamedParameterJdbcTemplate to = puller == null ? template : requestTemplate;
    return queue == null || !queue.isLimited()
        ? new Taken(to.query(CLAIM, values, mapper), Duration.ZERO)
        : to.execute(CLAIM_WITHIN, values, statement -> both(statement, mapper));
  }

  private static long micros(Duration duration) {
    return duration.toNanos() / 1_000;
  }

  private static Taken both(PreparedStatement statement, RowMapper<Claimed> mapper)
      throws SQLException {
    statement.execute();
    ResultSet lock = statement.getResultSet();
    lock.next();
    Duration early = Duration.ofMillis(lock.getLong("wait_ms"));
    statement.getMoreResults();
    return new Taken(
        new RowMapperResultSetExtractor<>(mapper).extractData(statement.getResultSet()), early);
  }

  /** What these claims hold, to be given back. */
  List<Ending> leased(Set<UUID> claims) {
    return jdbc.sql(LEASED)
        .param("tokens", new SqlArrayValue("uuid", claims.toArray()))
        .query(
            (row, n) ->
                new Ending(
                    row.getObject("id", UUID.class),
                    row.getObject("token", UUID.class),
                    new Outcome.Released(Duration.ZERO)))
        .list();
  }

  private static Claimed claimed(ResultSet row, QueueName queue, UUID token) throws SQLException {
    UUID id = row.getObject("id", UUID.class);
    String tenant = row.getString("tenant");
    int priority = row.getInt("priority");
    long rank = row.getLong("rank");
    if (row.getBoolean("expired")) {
      return new Claimed(id, tenant, priority, rank, null);
    }
    return new Claimed(
        id,
        tenant,
        priority,
        rank,
        new Lease(
            id,
            token,
            queue,
            tenant,
            row.getString("type"),
            row.getString("payload"),
            row.getInt("attempt"),
            row.getInt("recoveries"),
            row.getInt("max_attempts"),
            retry(row),
            Duration.ofMillis(row.getLong("timeout_ms")),
            row.getString("traceparent"),
            Duration.ofNanos(row.getLong("waited_us") * 1_000),
            instant(row, "expires_at")));
  }

  private static RetryPolicy retry(ResultSet row) throws SQLException {
    return new RetryPolicy(
        row.getInt("policy_attempts"),
        Duration.ofMillis(row.getLong("initial_delay_ms")),
        row.getDouble("multiplier"),
        Duration.ofMillis(row.getLong("max_delay_ms")));
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  /** Renews what runs on this node. */
  List<Renewed> renew(List<Heartbeat> heartbeats) {
    return renew(jdbc, heartbeats);
  }

  /** Renews what pull workers hold. */
  List<Renewed> renewPulled(List<Heartbeat> heartbeats) {
    return renew(requests, heartbeats);
  }

  private List<Renewed> renew(JdbcClient by, List<Heartbeat> heartbeats) {
    return by.sql(RENEW)
        .param("lease_ms", leaseMillis)
        .param("ids", array("uuid", heartbeats, Heartbeat::id))
        .param("tokens", array("uuid", heartbeats, Heartbeat::token))
        .param("leases_ms", array("bigint", heartbeats, Heartbeat::leaseMillis))
        .param("percents", array("smallint", heartbeats, Heartbeat::percent))
        .param("messages", array("text", heartbeats, Heartbeat::message))
        .query(
            (row, n) ->
                new Renewed(
                    row.getObject("id", UUID.class),
                    row.getObject("token", UUID.class),
                    instant(row, "expires_at"),
                    row.getBoolean("cancel_requested")))
        .list();
  }

  void progress(Lease lease, int percent, String message) {
    jdbc.sql(PROGRESS)
        .param("percent", percent)
        .param("message", message)
        .param("id", lease.id())
        .param("token", lease.token())
        .update();
  }

  void log(Lease lease, List<LoggedLine> lines) {
    jdbc.sql(LOG)
        .param("id", lease.id())
        .param("token", lease.token())
        .param("ats", array("timestamptz", lines, line -> line.at().toString()))
        .param("numbers", array("bigint", lines, LoggedLine::number))
        .param("lines", array("text", lines, LoggedLine::line))
        .update();
  }

  void log(Heartbeat heartbeat) {
    requests
        .sql(LOG_WITHIN)
        .param("id", heartbeat.id())
        .param("token", heartbeat.token())
        .param("lines", texts(heartbeat.lines()))
        .update();
  }

  /** Those of the attempts that are still held. */
  List<Held> held(List<Ending> endings) {
    return requests
        .sql(HELD)
        .param("ids", array("uuid", endings, Ending::id))
        .param("tokens", array("uuid", endings, Ending::token))
        .query(LeaseSql::held)
        .list();
  }

  List<Held> timedOut() {
    return jdbc.sql(TIMED_OUT).param("lease_ms", leaseMillis).query(LeaseSql::held).list();
  }

  private static Held held(ResultSet row, int n) throws SQLException {
    return new Held(
        row.getObject("id", UUID.class),
        row.getObject("token", UUID.class),
        row.getInt("failures"),
        row.getInt("max_attempts"),
        retry(row));
  }

  /** What became of each, in the order given. */
  List<SettledAs> settle(List<SettledRow> rows) {
    return jdbc.sql(SETTLE)
        .param("ids", array("uuid", rows, SettledRow::id))
        .param("tokens", array("uuid", rows, SettledRow::token))
        .param("outcomes", array("text", rows, SettledRow::outcome))
        .param("results", array("text", rows, SettledRow::result))
        .param("error_types", array("text", rows, SettledRow::errorType))
        .param("error_messages", array("text", rows, SettledRow::errorMessage))
        .param("delays_ms", array("bigint", rows, SettledRow::delayMillis))
        .param("accounts", array("uuid", rows, SettledRow::account))
        .query(
            (row, n) ->
                new SettledAs(
                    Optional.ofNullable(row.getString("state")).map(JobState::of).orElse(null),
                    Optional.ofNullable(row.getString("queue")).map(QueueName::new).orElse(null),
                    row.getString("tenant"),
                    row.getInt("recoveries"),
                    row.getBoolean("called_back"),
                    row.getString("key"),
                    row.getBoolean("awaited")))
        .list();
  }

  List<Expired> expire(UUID account, boolean quiet) {
    return jdbc.sql(EXPIRE)
        .param("account", account)
        .param("quiet", quiet)
        .param("lease_ms", leaseMillis)
        .param("worker", node.name())
        .param("incarnation", node.incarnation())
        .query(
            (row, n) ->
                new Expired(
                    new QueueName(row.getString("queue")),
                    row.getString("tenant"),
                    JobState.of(row.getString("state"))))
        .list();
  }

  List<Booked> expireWaiting(UUID account) {
    return jdbc.sql(EXPIRE_WAITING).param("account", account).query(LeaseSql::booked).list();
  }

  static Booked booked(ResultSet row, int n) throws SQLException {
    return new Booked(
        new QueueName(row.getString("queue")),
        row.getString("tenant"),
        row.getInt("waiting"),
        row.getInt("runnable"));
  }

  private static SqlArrayValue texts(Collection<String> texts) {
    return new SqlArrayValue("text", texts.toArray());
  }

  private static <T> SqlArrayValue array(
      String type, List<T> rows, Function<T, @Nullable Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
