package dev.millpond.admission;

import dev.millpond.job.Concurrency;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** The statements by which jobs come in. */
@Component
final class AdmissionSql {

  /**
   * Writes the jobs of many submits in one statement. A key that another submit has taken keeps its
   * rows out; if that one has not committed yet, this waits for it. So does an account that is
   * closed: it is locked, so that it stays open until the commit. Only inserts: it meets nobody but
   * a submit with the same key and who closes the account. Jobs for now go to ready, the others to
   * delayed: there those with a concurrency key wait in its line, of which a note is left, and
   * those that wait for others at the end of time. Answers the accounts that are open and the keys
   * it took.
   */
  private static final String SUBMIT =
      """
      with submitted as (
        select *
        from unnest(:ids::uuid[], :queues::text[], :types::text[], :priorities::int[], :payloads::text[],
                    :run_ats::timestamptz[], :start_bys::timestamptz[], :timeouts_ms::bigint[], :max_attempts::int[],
                    :initial_delays_ms::bigint[], :multipliers::float8[], :max_delays_ms::bigint[], :labels::text[],
                    :traceparents::text[], :tenants::text[], :ranks::bigint[], :accounts::uuid[], :keys::text[],
                    :callbacks::text[], :unique_keys::text[], :unique_untils::text[], :concurrency_keys::text[],
                    :concurrency_limits::int[], :missing::int[])
          as s (id, queue, type, priority, payload, run_at, start_by, timeout_ms, max_attempts, initial_delay_ms,
                multiplier, max_delay_ms, labels, traceparent, tenant, rank, account, key, callback, unique_key,
                unique_until, concurrency_key, concurrency_limit, missing)
      ), open as (
        select id from account where id = any(:accounts::uuid[]) for key share
      ), taken as (
        insert into idempotency_key (key, fingerprint, jobs)
        select decode(k.key, 'hex'), decode(k.fingerprint, 'hex'), k.jobs::uuid[]
        from unnest(:taken_keys::text[], :fingerprints::text[], :taken_jobs::text[], :takers::uuid[])
          as k (key, fingerprint, jobs, account)
        where k.account in (select id from open)
        on conflict do nothing
        returning encode(key, 'hex') as key
      ), accepted as (
        select submitted.*, missing is null and (run_at is null or run_at <= now()) as due
        from submitted left join taken on taken.key = submitted.key
        where submitted.account in (select id from open) and (submitted.key is null or taken.key is not null)
      ), booked as (
        insert into room (queue, account, tenant, waiting, runnable, granted)
        select queue, account, tenant, count(*), count(*) filter (where due and concurrency_key is null), 0
        from accepted
        group by queue, account, tenant
      ), kept as (
        insert into job (id, queue, type, priority, payload, run_at, start_by, timeout_ms, max_attempts,
                         initial_delay_ms, multiplier, max_delay_ms, labels, traceparent, tenant, unique_key,
                         unique_until, concurrency_key, concurrency_limit)
        select id, queue, type, priority, payload, run_at, start_by, timeout_ms, max_attempts, initial_delay_ms,
               multiplier, max_delay_ms, labels::jsonb, traceparent, tenant, unique_key, unique_until,
               concurrency_key, concurrency_limit
        from accepted
      ), called_back as (
        insert into callback (id, url)
        select id, callback
        from accepted
        where callback is not null
      ), runnable as (
        insert into ready (id, rank, runnable_at, start_by, version, attempt, recoveries, max_attempts, priority,
                           queue, type, tenant)
        select id, coalesce(rank, (extract(epoch from now()) * 1000000)::bigint), now(), start_by, 1, 0, 0, max_attempts,
               priority, queue, type, tenant
        from accepted
        where due and concurrency_key is null
      ), later as (
        insert into delayed (id, due_at, start_by, version, attempt, recoveries, max_attempts, priority, queue,
                             tenant, missing)
        select id, case when missing is null then run_at else '9999-12-31' end, start_by, 1, 0, 0, max_attempts, priority,
               queue, tenant, missing
        from accepted
        where not due
      ), lined as (
        insert into delayed (id, due_at, start_by, version, attempt, recoveries, max_attempts, priority, queue,
                             tenant, key, rank)
        select id, '9999-12-31', start_by, 1, 0, 0, max_attempts, priority, queue, tenant, concurrency_key,
               coalesce(rank, (extract(epoch from now()) * 1000000)::bigint)
        from accepted
        where due and concurrency_key is not null
      ), noted as (
        insert into key_note (queue, key)
        select distinct queue, concurrency_key
        from accepted
        where due and concurrency_key is not null
      )
      select id::text as account, null as key from open
      union all
      select null, key from taken
      """;

  /** By the primary key. */
  private static final String FIND_KEY =
      """
      select encode(fingerprint, 'hex') as fingerprint, jobs::text[] as jobs, coalesce(merged, '{}')::text[] as merged
      from idempotency_key
      where key = :key
      """;

  /** By the index idempotency_key_created; keys are never updated, so it meets nobody. */
  private static final String FORGET_KEYS =
      """
      delete from idempotency_key where created_at < now() - :kept_s * interval '1 s'
      """;

  private static final JsonMapper JSON = JsonMapper.shared();
  private static final HexFormat HEX = HexFormat.of();

  private final JdbcClient jdbc;

  AdmissionSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** What a key was used for. */
  record UsedKey(String fingerprint, List<@Nullable UUID> jobs, Set<UUID> merged) {

    boolean isOf(RequestKey key) {
      return fingerprint.equals(HEX.formatHex(key.fingerprint()));
    }
  }

  private record Row(Entry entry, UUID account, @Nullable String key) {}

  /** A row of the answer: an account that is open, or a key that was taken. */
  private record Found(@Nullable String account, @Nullable String key) {}

  /** Writes the entries, and answers what became of each. */
  List<Write.Result> submit(List<Write> writes) {
    List<Row> rows = new ArrayList<>();
    Map<String, Write> keyed = new LinkedHashMap<>();
    for (Write write : writes) {
      String key = key(write);
      // A key twice in one group: the first one takes it.
      if (key == null || keyed.putIfAbsent(key, write) == null) {
        write.entries().forEach(entry -> rows.add(new Row(entry, write.account(), key)));
      }
    }
    List<Write> takers = List.copyOf(keyed.values());
    Set<Found> found =
        jdbc.sql(SUBMIT)
            .param("ids", column("uuid", rows, e -> e.id()))
            .param("queues", column("text", rows, e -> e.queue()))
            .param("types", column("text", rows, e -> e.job().type()))
            .param("priorities", column("int", rows, e -> e.job().priority()))
            .param("payloads", column("text", rows, e -> e.job().payload()))
            .param("run_ats", column("timestamptz", rows, e -> e.runAt()))
            .param("start_bys", column("timestamptz", rows, e -> e.job().startBy()))
            .param("timeouts_ms", column("bigint", rows, e -> e.job().timeout().toMillis()))
            .param("max_attempts", column("int", rows, e -> e.job().retry().maxAttempts()))
            .param(
                "initial_delays_ms",
                column("bigint", rows, e -> e.job().retry().initialDelay().toMillis()))
            .param("multipliers", column("float8", rows, e -> e.job().retry().multiplier()))
            .param(
                "max_delays_ms", column("bigint", rows, e -> e.job().retry().maxDelay().toMillis()))
            .param("labels", column("text", rows, e -> labels(e.job())))
            .param("traceparents", column("text", rows, e -> e.job().traceparent()))
            .param("tenants", column("text", rows, e -> e.job().tenant()))
            .param("ranks", column("bigint", rows, e -> e.rank()))
            .param("callbacks", column("text", rows, e -> e.job().callback()))
            .param(
                "unique_keys",
                column("text", rows, e -> takenAgain(e).map(Unique::key).orElse(null)))
            .param(
                "unique_untils",
                column("text", rows, e -> takenAgain(e).map(u -> u.until().label()).orElse(null)))
            .param("concurrency_keys", column("text", rows, e -> e.key()))
            .param("concurrency_limits", column("int", rows, AdmissionSql::limit))
            .param("missing", column("int", rows, Entry::missing))
            .param("accounts", array("uuid", rows, Row::account))
            .param("keys", array("text", rows, Row::key))
            .param("taken_keys", new SqlArrayValue("text", keyed.keySet().toArray()))
            .param("fingerprints", array("text", takers, AdmissionSql::fingerprint))
            .param("taken_jobs", array("text", takers, AdmissionSql::ids))
            .param("takers", array("uuid", takers, Write::account))
            .query((row, n) -> new Found(row.getString("account"), row.getString("key")))
            .set();
    return writes.stream().map(write -> result(write, keyed, found)).toList();
  }

  private static @Nullable String key(Write write) {
    return write.key() == null ? null : HEX.formatHex(write.key().hash());
  }

  private static Write.Result result(Write write, Map<String, Write> keyed, Set<Found> found) {
    if (!found.contains(new Found(write.account().toString(), null))) {
      return Write.Result.ACCOUNT_CLOSED;
    }
    String key = key(write);
    return key == null || (found.contains(new Found(null, key)) && write.equals(keyed.get(key)))
        ? Write.Result.WRITTEN
        : Write.Result.KEY_TAKEN;
  }

  /** The key that the job takes again when it is sent back: not one that time alone ends. */
  private static Optional<Unique> takenAgain(Entry entry) {
    return Optional.ofNullable(entry.job().unique()).filter(unique -> unique.lasts() == null);
  }

  /** Labels as JSON; null for none. */
  static @Nullable String labels(Submission job) {
    Map<String, String> labels = job.labels();
    return labels.isEmpty() ? null : JSON.writeValueAsString(labels);
  }

  private static @Nullable Integer limit(Entry entry) {
    Concurrency concurrency = entry.job().concurrency();
    return concurrency == null ? null : concurrency.limit();
  }

  private static String fingerprint(Write write) {
    return HEX.formatHex(Objects.requireNonNull(write.key()).fingerprint());
  }

  private static String ids(Write write) {
    RequestKey key = Objects.requireNonNull(write.key());
    return ids(key.spread(write.entries().stream().map(Entry::id).toList()));
  }

  /**
   * An array in PostgreSQL's own spelling, since an array of arrays would be one of two dimensions.
   */
  static String ids(List<? extends @Nullable UUID> ids) {
    return ids.stream().map(String::valueOf).collect(Collectors.joining(",", "{", "}"));
  }

  Optional<UsedKey> find(RequestKey key) {
    return jdbc.sql(FIND_KEY)
        .param("key", key.hash())
        .query(
            (row, n) ->
                new UsedKey(
                    row.getString("fingerprint"),
                    Arrays.stream((String[]) row.getArray("jobs").getArray())
                        .<@Nullable UUID>map(id -> id == null ? null : UUID.fromString(id))
                        .toList(),
                    Arrays.stream((String[]) row.getArray("merged").getArray())
                        .map(UUID::fromString)
                        .collect(Collectors.toSet())))
        .optional();
  }

  void forgetKeys(Duration kept) {
    jdbc.sql(FORGET_KEYS).param("kept_s", kept.toSeconds()).update();
  }

  private static SqlArrayValue column(
      String type, List<Row> rows, Function<Entry, @Nullable Object> value) {
    return array(type, rows, row -> value.apply(row.entry()));
  }

  private static <T> SqlArrayValue array(
      String type, List<T> rows, Function<T, @Nullable Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
