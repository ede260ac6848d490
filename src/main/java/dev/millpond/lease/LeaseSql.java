package dev.millpond.lease;

import dev.millpond.job.JobState;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.RetryPolicy;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
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
 * its life. Each is atomic by itself: a job moves by a delete and an insert in one statement. Where
 * a row is looked for by order, locked ones are skipped; where it is named, the statement waits for
 * it.
 */
@Component
final class LeaseSql {

  /**
   * Moves what is due from delayed to ready (index delayed_due), and tells which queues have ready
   * jobs, by stepping from queue to queue through ready_next: the cost is that of the queues with
   * work, not of the jobs.
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
      ), promoted as (
        insert into ready (id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts,
                           priority, queue, tenant)
        select id, (extract(epoch from due_at) * 1000000)::bigint, due_at, start_by, started_at, version + 1, attempt,
               recoveries, max_attempts, priority, queue, tenant
        from due
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, 0, count(*), 0
        from due
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
      select queue, false as suspect, null as tenant, 0 as promoted, null::bigint as next_due_ms
      from head
      where queue is not null
      union all
      select queue, false, tenant, runnable, null from booked
      union
      select queue, true, null, 0, null from due where recoveries > 0
      union
      select queue, true, null, 0, null from ready where recoveries > 0
      union all
      select null, false, null, 0,
             case when (select count(*) from due) >= 1000 then 0
                  else (extract(epoch from min(due_at) - now()) * 1000)::bigint end
      from delayed
      where due_at > now()
      """;

  /**
   * The claim. The candidates come in order from ready_next (or ready_suspect) and are locked as
   * they are found; what another claim has locked is skipped. "ctid = any(array(…))" and not "in
   * (select …)", which would leave the join order to the planner. With a concurrency limit the
   * leases of the queue are counted under the lock of CLAIM_WITHIN; the start is stamped by the
   * clock, since now() is from before the lock. A job whose startBy has passed ends here and takes
   * no slot.
   */
  private static final String CLAIM =
      """
      with allowed (jobs, at) as (
        select case when :concurrency::int is null then :max::int
                    when current_setting('millpond.locked', true) = '1'
                      then least(:max, greatest(0, :concurrency - (select count(*) from lease where queue = :queue)))
                    else 0
               end,
               clock_timestamp()
      ), taken as (
        delete from ready
        where ctid = any(array(
            select ctid from ready
            where queue = :queue and recoveries = 0 and not :suspect
            order by priority desc, rank, id
            limit (select jobs from allowed)
            for update skip locked)
          || array(
            select ctid from ready
            where queue = :queue and recoveries > 0 and :suspect
            order by priority desc, rank, id
            limit (select jobs from allowed)
            for update skip locked))
        returning id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts, priority,
                  queue, tenant, coalesce(start_by < now(), false) as expired
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, -count(*), -count(*), 0
        from taken
        group by queue, tenant
      ), expired as (
        insert into finished (id, finished_at, started_at, version, attempt, recoveries, max_attempts, state)
        select id, now(), started_at, version + 1, attempt, recoveries, max_attempts, 'expired'
        from taken
        where expired
      ), leased as (
        insert into lease (id, token, expires_at, leased_at, started_at, rank, runnable_at, version, attempt,
                           recoveries, max_attempts, priority, cancel_requested, incarnation, worker, queue, tenant)
        select id, :token, now() + :lease_ms * interval '1 ms', at, coalesce(started_at, at), rank, runnable_at,
               version + 1, attempt + 1, recoveries, max_attempts, priority, false, :incarnation, :worker, queue, tenant
        from taken, allowed
        where not expired
      )
      select taken.id, taken.expired, taken.attempt + 1 as attempt, taken.recoveries, taken.max_attempts,
             taken.tenant, taken.priority, taken.rank,
             greatest(0, (extract(epoch from now() - taken.runnable_at) * 1000000)::bigint) as waited_us,
             job.type, job.payload, job.timeout_ms, job.initial_delay_ms, job.multiplier, job.max_delay_ms,
             job.max_attempts as policy_attempts, job.traceparent
      from taken join job on job.id = taken.id
      order by taken.priority desc, taken.rank, taken.id
      """;

  /**
   * The claim where the queue has a concurrency limit. The queue's row is taken as a lock, so that
   * two nodes do not fill the limit together, and nothing is claimed where another has it. The
   * claim is a statement of its own after it, so that it counts what the last holder has leased.
   * Both go in one round trip, which makes them one transaction: no node that stops between them
   * can keep the lock.
   */
  private static final String CLAIM_WITHIN =
      """
      select set_config('millpond.locked', count(*)::text, true)
      from (select from queue where name = :queue for update skip locked) as locked;
      """
          + CLAIM;

  /**
   * By the primary key, guarded by the token, locked in the order of ids as settlements are. What
   * does not come back is lost.
   */
  private static final String RENEW =
      """
      with held as (
        select lease.id
        from lease join unnest(:ids::uuid[], :tokens::uuid[]) as h (id, token)
          on lease.id = h.id and lease.token = h.token
        order by lease.id
        for update of lease
      )
      update lease
      set expires_at = now() + :lease_ms * interval '1 ms'
      from held
      where lease.id = held.id
      returning lease.id, lease.cancel_requested
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
   * The settlement of a group. By the primary key, guarded by the token: the only way from a lease
   * to a settled state. While cancelling, success still is success, and all else becomes cancelled;
   * a cancel that nobody asked for changes nothing. A job that returns to wait keeps its rank if
   * the attempt does not count. An answer without a state is a lost lease, unless the very same
   * settlement was written before, which the token in finished or attempt tells.
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
                  lease.tenant, s.account, s.result, s.error_type, s.error_message,
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
                           queue, tenant)
        select id, case when released then rank else (extract(epoch from now()) * 1000000)::bigint end,
               case when released then runnable_at else now() end, started_at, version + 1,
               case when released then attempt - 1 else attempt end, recoveries, max_attempts, priority, queue, tenant
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
      select case when ended.id is not null then ended.state
                  else coalesce((select f.state from finished f where f.id = s.id and f.token = s.token),
                                (select 'retrying' from attempt a where a.id = s.id and a.token = s.token)) end as state
      from settled s left join ended on ended.id = s.id and ended.token = s.token
      order by s.place
      """;

  /**
   * Takes back leases whose worker is not heard of, and those of a former life of this node at
   * once. Looks at all leases: they are as many as slots. Nothing expires until the server has been
   * up for one lease, since while it was away nobody could renew. The third death of a worker under
   * a job fails it.
   */
  private static final String EXPIRE =
      """
      with lost as (
        delete from lease
        where ctid = any(array(
          select ctid from lease
          where (expires_at < now() and not :quiet
                 and pg_postmaster_start_time() < now() - :lease_ms * interval '1 ms')
             or (worker = :worker and incarnation <> :incarnation)
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
                           queue, tenant)
        select id, rank, runnable_at, started_at, version + 1, attempt, recoveries + 1, max_attempts, priority, queue,
               tenant
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

  /** Ends waiting jobs whose startBy has passed; by the partial indexes on start_by. */
  private static final String EXPIRE_WAITING =
      """
      with ready_late as (
        delete from ready
        where ctid = any(array(
          select ctid from ready where start_by < now() limit 500 for update skip locked))
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, 1 as runnable
      ), delayed_late as (
        delete from delayed
        where ctid = any(array(
          select ctid from delayed where start_by < now() limit 500 for update skip locked))
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, 0 as runnable
      ), late as (
        select * from ready_late union all select * from delayed_late
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

  /**
   * Cancels a job: at once where it waits, by a request where it runs. By primary keys. A claim or
   * a settlement may move the job while this waits for its row; then nothing is found, and the
   * caller looks again.
   */
  private static final String CANCEL =
      """
      with waiting as (
        delete from ready where id = :id
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, 1 as runnable
      ), later as (
        delete from delayed where id = :id
        returning id, started_at, version, attempt, recoveries, max_attempts, queue, tenant, 0 as runnable
      ), withdrawn as (
        select * from waiting union all select * from later
      ), final as (
        insert into finished (id, finished_at, started_at, version, attempt, recoveries, max_attempts, state)
        select id, now(), started_at, version + 1, attempt, recoveries, max_attempts, 'cancelled'
        from withdrawn
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, :account, tenant, -1, -runnable, 0
        from withdrawn
        returning queue, tenant, waiting, runnable
      ), asked as (
        update lease set cancel_requested = true, version = version + 1
        where id = :id and not cancel_requested
        returning queue, tenant
      )
      select queue, tenant, waiting, runnable from booked
      union all
      select queue, tenant, 0, 0 from asked
      """;

  /** Makes a delayed job ready now; by the primary key. */
  private static final String HURRY =
      """
      with due as (
        delete from delayed where id = :id
        returning id, start_by, started_at, version, attempt, recoveries, max_attempts, priority, queue, tenant
      ), promoted as (
        insert into ready (id, rank, runnable_at, start_by, started_at, version, attempt, recoveries, max_attempts,
                           priority, queue, tenant)
        select id, (extract(epoch from now()) * 1000000)::bigint, now(), start_by, started_at, version + 1, attempt,
               recoveries, max_attempts, priority, queue, tenant
        from due
      )
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :account, tenant, 0, 1, 0
      from due
      returning queue, tenant, waiting, runnable
      """;

  /**
   * Queues a finished job again, its attempts kept and as many more granted as its policy says, if
   * the account that has room for it is open. By the primary key; two redrives at once: the second
   * finds no finished row.
   */
  private static final String REDRIVE =
      """
      with open as (
        select id from account where id = :account for key share
      ), old as (
        delete from finished where id = :id and exists (select from open)
        returning id, token, leased_at, finished_at, started_at, version, attempt, recoveries, max_attempts, worker,
                  error_type, error_message
      ), history as (
        insert into attempt (id, token, started_at, finished_at, number, worker, error_type, error_message)
        select id, token, leased_at, finished_at, attempt, worker, error_type, error_message
        from old
        where leased_at is not null
      ), again as (
        insert into ready (id, rank, runnable_at, started_at, version, attempt, recoveries, max_attempts, priority,
                           queue, tenant)
        select old.id, (extract(epoch from now()) * 1000000)::bigint, now(), old.started_at, old.version + 1,
               old.attempt, 0, old.max_attempts + old.recoveries + job.max_attempts, job.priority, job.queue,
               job.tenant
        from old join job on job.id = old.id
        returning queue, tenant
      )
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :account, tenant, 1, 1, 0
      from again
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
      )
      delete from job using gone where job.id = gone.id
      """;

  private final NamedParameterJdbcTemplate template;
  private final JdbcClient jdbc;

  /** For what clients ask for, which must not keep renewals from their connections. */
  private final JdbcClient requests;

  private final Node node;
  private final long leaseMillis;

  LeaseSql(
      @Qualifier("leases") NamedParameterJdbcTemplate template,
      JdbcClient requests,
      Node node,
      LeaseProperties properties) {
    this.template = template;
    this.jdbc = JdbcClient.create(template);
    this.requests = requests;
    this.node = node;
    this.leaseMillis = properties.duration().toMillis();
  }

  /**
   * A row of POLL: a queue with ready jobs, or, without a queue, the time until the next job is
   * due.
   *
   * @param promoted how many of the tenant's jobs were made ready
   */
  record Head(
      @Nullable String queue,
      boolean suspect,
      @Nullable String tenant,
      int promoted,
      @Nullable Long nextDueMillis) {}

  /** A claimed job: leased, or expired and ended. */
  record Claimed(@Nullable String tenant, int priority, long rank, @Nullable Lease lease) {}

  /** A job whose lease expired, and the state it is in now. */
  record Expired(QueueName queue, @Nullable String tenant, JobState state) {}

  /** What was added to the books: how many jobs wait now that did not, and how many of them run. */
  record Booked(QueueName queue, @Nullable String tenant, int waiting, int runnable) {}

  /** An attempt's end as the columns of SETTLE. */
  record SettledRow(
      Lease lease,
      String outcome,
      @Nullable String result,
      @Nullable String errorType,
      @Nullable String errorMessage,
      long delayMillis,
      UUID account) {}

  /** What RENEW says of a lease that is still held. */
  record Renewed(UUID id, boolean cancelRequested) {}

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
                    row.getObject("next_due_ms", Long.class)))
        .list();
  }

  List<Claimed> claim(
      UUID account, QueueName queue, int max, boolean suspect, @Nullable Integer concurrency) {
    UUID token = UUID.randomUUID();
    MapSqlParameterSource values =
        new MapSqlParameterSource("account", account)
            .addValue("queue", queue.value())
            .addValue("max", max)
            .addValue("suspect", suspect)
            .addValue("concurrency", concurrency)
            .addValue("token", token)
            .addValue("lease_ms", leaseMillis)
            .addValue("incarnation", node.incarnation())
            .addValue("worker", node.name());
    RowMapper<Claimed> mapper = (row, n) -> claimed(row, queue, token);
    return concurrency == null
        ? template.query(CLAIM, values, mapper)
        : template.execute(CLAIM_WITHIN, values, statement -> secondResult(statement, mapper));
  }

  private static <T> List<T> secondResult(PreparedStatement statement, RowMapper<T> mapper)
      throws SQLException {
    statement.execute();
    statement.getMoreResults();
    return new RowMapperResultSetExtractor<>(mapper).extractData(statement.getResultSet());
  }

  private static Claimed claimed(ResultSet row, QueueName queue, UUID token) throws SQLException {
    String tenant = row.getString("tenant");
    int priority = row.getInt("priority");
    long rank = row.getLong("rank");
    if (row.getBoolean("expired")) {
      return new Claimed(tenant, priority, rank, null);
    }
    return new Claimed(
        tenant,
        priority,
        rank,
        new Lease(
            row.getObject("id", UUID.class),
            token,
            queue,
            tenant,
            row.getString("type"),
            row.getString("payload"),
            row.getInt("attempt"),
            row.getInt("recoveries"),
            row.getInt("max_attempts"),
            new RetryPolicy(
                row.getInt("policy_attempts"),
                Duration.ofMillis(row.getLong("initial_delay_ms")),
                row.getDouble("multiplier"),
                Duration.ofMillis(row.getLong("max_delay_ms"))),
            Duration.ofMillis(row.getLong("timeout_ms")),
            row.getString("traceparent"),
            Duration.ofNanos(row.getLong("waited_us") * 1_000)));
  }

  List<Renewed> renew(List<Lease> leases) {
    return jdbc.sql(RENEW)
        .param("lease_ms", leaseMillis)
        .param("ids", array("uuid", leases, Lease::id))
        .param("tokens", array("uuid", leases, Lease::token))
        .query((row, n) -> new Renewed(row.getObject("id", UUID.class), row.getBoolean(2)))
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

  /** The state that each job came to, in the order given; empty where the lease was lost. */
  List<Optional<JobState>> settle(List<SettledRow> rows) {
    return jdbc.sql(SETTLE)
        .param("ids", array("uuid", rows, row -> row.lease().id()))
        .param("tokens", array("uuid", rows, row -> row.lease().token()))
        .param("outcomes", array("text", rows, SettledRow::outcome))
        .param("results", array("text", rows, SettledRow::result))
        .param("error_types", array("text", rows, SettledRow::errorType))
        .param("error_messages", array("text", rows, SettledRow::errorMessage))
        .param("delays_ms", array("bigint", rows, SettledRow::delayMillis))
        .param("accounts", array("uuid", rows, SettledRow::account))
        .query((row, n) -> Optional.ofNullable(row.getString("state")).map(JobState::of))
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

  /** What the job's leaving changed; no change of the books if it runs and was asked to stop. */
  Optional<Booked> cancel(UUID account, UUID id) {
    return requests
        .sql(CANCEL)
        .param("account", account)
        .param("id", id)
        .query(LeaseSql::booked)
        .optional();
  }

  Optional<Booked> hurry(UUID account, UUID id) {
    return requests
        .sql(HURRY)
        .param("account", account)
        .param("id", id)
        .query(LeaseSql::booked)
        .optional();
  }

  private static Booked booked(ResultSet row, int n) throws SQLException {
    return new Booked(
        new QueueName(row.getString("queue")),
        row.getString("tenant"),
        row.getInt("waiting"),
        row.getInt("runnable"));
  }

  boolean redrive(UUID account, UUID id) {
    return requests.sql(REDRIVE).param("account", account).param("id", id).update() > 0;
  }

  boolean remove(UUID id) {
    return requests.sql(REMOVE).param("id", id).update() > 0;
  }

  private static <T> SqlArrayValue array(
      String type, List<T> rows, Function<T, @Nullable Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
