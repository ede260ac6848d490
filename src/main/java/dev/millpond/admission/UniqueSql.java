package dev.millpond.admission;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/**
 * The statements by which unique keys are taken: those of a group of submits are one transaction
 * with the statement that writes its jobs. What lets go of keys are triggers, in V010.
 */
@Component
final class UniqueSql {

  /** By the primary key. Whoever repeats a request is not to meet its own job. */
  private static final String USED =
      """
      select encode(key, 'hex') as key from idempotency_key
      where key = any(array(select decode(sent, 'hex') from unnest(:keys::text[]) as sent))
      """;

  /**
   * The constraint decides who has a key: this waits for whoever is writing it, and locks the row
   * of who has it, so that its job can neither start nor end before the commit. In the order of the
   * keys, as everyone locks them. What has expired is taken over; so is the key of a job that went
   * with its day, which cannot be one that is being written.
   *
   * <p>A node that stands still in the middle must not hold up for long those who want its keys.
   */
  private static final String TAKE =
      """
      with patience as materialized (
        select set_config('lock_timeout', '1500ms', true),
               set_config('idle_in_transaction_session_timeout', '1s', true)
      )
      insert into unique_key (queue, key, job, until, expires_at)
      select queue, key, job, until, now() + lasts_ms * interval '1 ms'
      from unnest(:queues::text[], :keys::text[], :jobs::uuid[], :untils::text[], :lasts_ms::bigint[])
        as wanted (queue, key, job, until, lasts_ms), patience
      order by queue collate "C", key collate "C"
      on conflict (queue, key) do update
      set job = excluded.job, until = excluded.until, expires_at = excluded.expires_at
      where unique_key.expires_at <= now()
         or (unique_key.until = 'expired' and unique_key.job < uuid_floor(now() - interval '1 min')
             and not exists (select from job where job.id = unique_key.job))
      returning job
      """;

  /** By the primary key; the rows are locked by TAKE, so the answer holds until the commit. */
  private static final String HOLDERS =
      """
      select queue, key, job
      from unique_key join unnest(:queues::text[], :keys::text[]) as wanted (queue, key) using (queue, key)
      """;

  /**
   * Those of the holders that wait, which are kept from starting until the commit. What somebody
   * else is moving is not waited for, since its claim may wait for the key. By the primary keys.
   */
  private static final String WAITING =
      """
      select id, true as waits from (
        select id from ready where id = any(:ids) for update skip locked) as runnable
      union all
      select id, true from (
        select id from delayed where id = any(:ids) for update skip locked) as later
      union all
      select id, false from lease where id = any(:ids)
      union all
      select id, false from finished where id = any(:ids)
      """;

  /** Waits until nobody is moving the job; holds nothing else meanwhile. By the primary keys. */
  private static final String AWAIT =
      """
      select from (
        select from ready where id = :id for share) as runnable
      union all
      select from (
        select from delayed where id = :id for share) as later
      """;

  /**
   * By the primary keys, of rows that WAITING has locked. A claim skips them, and sees all or
   * nothing.
   */
  private static final String REPLACE =
      """
      with new as (
        select *
        from unnest(:ids::uuid[], :types::text[], :payloads::text[], :labels::text[], :traceparents::text[])
          as n (id, type, payload, labels, traceparent)
      ), runnable as (
        update ready set type = new.type, version = version + 1 from new where ready.id = new.id
      ), later as (
        update delayed set version = version + 1 from new where delayed.id = new.id
      )
      update job
      set type = new.type, payload = new.payload, labels = new.labels::jsonb, traceparent = new.traceparent
      from new
      where job.id = new.id
      """;

  /** Keys that jobs have taken which are not written after all. By the unique index. */
  private static final String RELEASE =
      """
      delete from unique_key where job = any(:jobs)
      """;

  /** Writes keys of requests of which some jobs were there already. */
  private static final String REMEMBER =
      """
      insert into idempotency_key (key, fingerprint, jobs, merged)
      select decode(key, 'hex'), decode(fingerprint, 'hex'), jobs::uuid[], merged::uuid[]
      from unnest(:keys::text[], :fingerprints::text[], :jobs::text[], :merged::text[])
        as k (key, fingerprint, jobs, merged)
      on conflict do nothing
      """;

  /** Who has the key that a finished job would need again. By the primary keys. */
  private static final String HOLDER =
      """
      select unique_key.job
      from job join unique_key on unique_key.queue = job.queue and unique_key.key = job.unique_key
      where job.id = :id and unique_key.job <> job.id and (expires_at is null or expires_at > now())
      """;

  /** By the index unique_key_expires. What a submit takes over meanwhile is skipped. */
  private static final String SWEEP =
      """
      delete from unique_key
      where ctid = any(array(
        select ctid from unique_key where expires_at <= now() limit 1000 for update skip locked))
      """;

  private static final HexFormat HEX = HexFormat.of();

  private final JdbcClient jdbc;

  UniqueSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** A key in its queue. */
  record UniqueKey(String queue, String key) {}

  /** Those of the requests' keys that were used before. */
  Set<String> used(Collection<RequestKey> keys) {
    return Set.copyOf(
        jdbc.sql(USED)
            .param("keys", array("text", keys, key -> HEX.formatHex(key.hash())))
            .query(String.class)
            .list());
  }

  /** Those of the jobs that have their keys now; of each key at most one is asked for. */
  Set<UUID> take(Collection<Entry> entries) {
    return new HashSet<>(
        jdbc.sql(TAKE)
            .param("queues", array("text", entries, Entry::queue))
            .param("keys", array("text", entries, e -> unique(e).key()))
            .param("jobs", array("uuid", entries, Entry::id))
            .param("untils", array("text", entries, e -> unique(e).until().label()))
            .param("lasts_ms", array("bigint", entries, e -> millis(unique(e).lasts())))
            .query(UUID.class)
            .list());
  }

  private static Unique unique(Entry entry) {
    return Objects.requireNonNull(entry.job().unique());
  }

  private static @Nullable Long millis(@Nullable Duration duration) {
    return duration == null ? null : duration.toMillis();
  }

  /** Which jobs have the keys. */
  Map<UniqueKey, UUID> holders(Collection<UniqueKey> keys) {
    Map<UniqueKey, UUID> holders = new HashMap<>();
    jdbc.sql(HOLDERS)
        .param("queues", array("text", keys, UniqueKey::queue))
        .param("keys", array("text", keys, UniqueKey::key))
        .query(
            row -> {
              holders.put(
                  new UniqueKey(row.getString("queue"), row.getString("key")),
                  row.getObject("job", UUID.class));
            });
    return holders;
  }

  /** Whether each of the jobs waits, and will until the commit; without those that are moving. */
  Map<UUID, Boolean> waiting(Collection<UUID> jobs) {
    Map<UUID, Boolean> waiting = new HashMap<>();
    jdbc.sql(WAITING)
        .param("ids", array("uuid", jobs, id -> id))
        .query(
            row -> {
              waiting.put(row.getObject("id", UUID.class), row.getBoolean("waits"));
            });
    return waiting;
  }

  /** Returns when nobody is moving the job. */
  void await(UUID job) {
    jdbc.sql(AWAIT).param("id", job).query().listOfRows();
  }

  /** Lets waiting jobs do the work of others. */
  void replace(Map<UUID, Submission> jobs) {
    List<Map.Entry<UUID, Submission>> rows = new ArrayList<>(jobs.entrySet());
    jdbc.sql(REPLACE)
        .param("ids", array("uuid", rows, Map.Entry::getKey))
        .param("types", array("text", rows, row -> row.getValue().type()))
        .param("payloads", array("text", rows, row -> row.getValue().payload()))
        .param("labels", array("text", rows, row -> AdmissionSql.labels(row.getValue())))
        .param("traceparents", array("text", rows, row -> row.getValue().traceparent()))
        .update();
  }

  void release(Collection<UUID> jobs) {
    jdbc.sql(RELEASE).param("jobs", array("uuid", jobs, id -> id)).update();
  }

  /**
   * What a request with a key came to.
   *
   * @param jobs null in the place of one that was refused
   * @param merged those that were there already
   */
  record Remembered(RequestKey key, List<@Nullable UUID> jobs, List<UUID> merged) {}

  /** How many of the keys were not used before. */
  int remember(List<Remembered> requests) {
    return jdbc.sql(REMEMBER)
        .param("keys", array("text", requests, r -> HEX.formatHex(r.key().hash())))
        .param("fingerprints", array("text", requests, r -> HEX.formatHex(r.key().fingerprint())))
        .param("jobs", array("text", requests, r -> AdmissionSql.ids(r.key().spread(r.jobs()))))
        .param("merged", array("text", requests, r -> AdmissionSql.ids(r.merged())))
        .update();
  }

  Optional<UUID> holder(UUID finished) {
    return jdbc.sql(HOLDER).param("id", finished).query(UUID.class).optional();
  }

  /** How many were removed, a bounded number. */
  int sweep() {
    return jdbc.sql(SWEEP).update();
  }

  private static <T> SqlArrayValue array(
      String type, Collection<T> rows, Function<T, @Nullable Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
