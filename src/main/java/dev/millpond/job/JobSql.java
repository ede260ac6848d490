package dev.millpond.job;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.millpond.job.JobRefs.JobRef;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads of jobs. None takes a lock; a job is read in one statement, so that its rows are of one
 * moment.
 */
@Component
final class JobSql {

  /**
   * By the primary keys of the partition that the id names, and of the state tables; through
   * functions that plan it once, since to plan it takes longer than to read the job.
   */
  private static final String FIND =
      """
      select job.*, callback_url(:id) as callback, on_others.*
      from find_job(:id) as job, dependencies_of(:id) as on_others
      """;

  /** As FIND, for several. */
  private static final String FIND_ALL =
      """
      select job.*, callback_url(id) as callback, on_others.*
      from job_status as job, dependencies_of(id) as on_others
      where id = any(:ids)
      """;

  /**
   * As FIND_ALL, for the ids that a page has scanned; the filters look at no other rows. What jobs
   * depend on may be much more than they are themselves, and is read only where it is asked for.
   */
  private static final String FILTER =
      """
      select job.*, callback_url(id) as callback, on_others.*
      from job_status as job
      left join lateral (select * from dependencies_of(id) where :dependencies) as on_others on true
      where id = any(:ids)
        and (:queue::text is null or queue = :queue)
        and (:state::text is null or state = :state)
        and (:type::text is null or type = :type)
        and (:tenant::text is null or tenant = :tenant)
        and (:labels::jsonb is null or labels @> :labels::jsonb)
      order by id desc
      limit :limit
      """;

  /** As FILTER. */
  private static final String REFS =
      """
      select id, tenant from job_status
      where id = any(:ids)
        and (:queue::text is null or queue = :queue)
        and (:state::text is null or state = :state)
        and (:type::text is null or type = :type)
        and (:tenant::text is null or tenant = :tenant)
        and (:labels::jsonb is null or labels @> :labels::jsonb)
      order by id desc
      limit :limit
      """;

  /** By the primary keys: those of the jobs that are not finished. */
  private static final String VERSIONS =
      """
      select id, version from lease where id = any(:ids)
      union all
      select id, version from ready where id = any(:ids)
      union all
      select id, version from delayed where id = any(:ids)
      """;

  /** By the primary key, from the newest partition down. */
  private static final String SCAN =
      """
      select id from job
      where id < :before and id >= :after
      order by id desc
      limit :limit
      """;

  /** By the index job_queue, from the newest partition down. */
  private static final String SCAN_QUEUE =
      """
      select id from job
      where queue = :queue and id < :before and id >= :after
      order by id desc
      limit :limit
      """;

  /**
   * By the primary keys of ready, which holds waiting jobs only, and of delayed, in which some wait
   * for their concurrency key.
   */
  private static final String SCAN_QUEUED =
      """
      (select id from ready
       where (:queue::text is null or queue = :queue) and id < :before and id >= :after
       order by id desc
       limit :limit)
      union all
      (select id from delayed
       where key is not null
         and (:queue::text is null or queue = :queue) and id < :before and id >= :after
       order by id desc
       limit :limit)
      order by id desc
      limit :limit
      """;

  /**
   * By the primary key of delayed: those that have started wait for a retry, the others for their
   * time, or for other jobs.
   */
  private static final String SCAN_DELAYED =
      """
      select id from delayed
      where key is null
        and :state = case when missing is not null then 'blocked' when attempt > 0 then 'retrying' else 'scheduled' end
        and (:queue::text is null or queue = :queue) and id < :before and id >= :after
      order by id desc
      limit :limit
      """;

  /**
   * By the primary key of lease: as many as there are slots, and what pull workers have claimed.
   */
  private static final String SCAN_LEASED =
      """
      select id from lease
      where cancel_requested = (:state = 'cancelling')
        and (:queue::text is null or queue = :queue) and id < :before and id >= :after
      order by id desc
      limit :limit
      """;

  /** By the primary key: nearly all finished jobs are of this state. */
  private static final String SCAN_SUCCEEDED =
      """
      select id from finished
      where state = 'succeeded' and id < :before and id >= :after
      order by id desc
      limit :limit
      """;

  /** By the index finished_state. */
  private static final String SCAN_UNSUCCESSFUL =
      """
      select id from finished
      where state = :state and state <> 'succeeded' and id < :before and id >= :after
      order by id desc
      limit :limit
      """;

  /** By the primary key of the id's partition. */
  private static final String ATTEMPTS =
      """
      select number, started_at, finished_at, worker, error_type, error_message
      from attempt
      where id = :id
      order by number
      """;

  /** By the primary key of the id's partition. */
  private static final String LOG =
      """
      select attempt, at, line
      from job_log
      where id = :id
      order by attempt, number
      """;

  /** By the primary key of each id's partition, from where each reader is. */
  private static final String LINES =
      """
      select reader.id, reader.attempt as read_attempt, reader.number as read_number,
        entry.attempt, entry.number, entry.at, entry.line
      from unnest(:ids, :attempts, :numbers) as reader (id, attempt, number),
        lateral (
          select attempt, number, at, line
          from job_log
          where job_log.id = reader.id and (job_log.attempt, job_log.number) > (reader.attempt, reader.number)
          order by attempt, number
          limit :limit
        ) as entry
      order by entry.attempt, entry.number
      """;

  private static final JsonMapper JSON = JsonMapper.shared();
  private static final TypeReference<Map<String, String>> LABELS = new TypeReference<>() {};

  private final JdbcClient jdbc;

  JobSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  Optional<Job> find(UUID id) {
    return jdbc.sql(FIND).param("id", id).query(JobSql::job).optional();
  }

  List<Job> findAll(List<UUID> ids) {
    return jdbc.sql(FIND_ALL).param("ids", uuids(ids)).query(JobSql::job).list();
  }

  Map<UUID, Integer> versions(Collection<UUID> ids) {
    Map<UUID, Integer> versions = new HashMap<>();
    jdbc.sql(VERSIONS)
        .param("ids", uuids(ids))
        .query(
            row -> {
              versions.put(row.getObject("id", UUID.class), row.getInt("version"));
            });
    return versions;
  }

  List<Job> filter(List<UUID> ids, JobFilter filter, int limit, boolean dependencies) {
    return filtered(FILTER, ids, filter, limit)
        .param("dependencies", dependencies)
        .query(JobSql::job)
        .list();
  }

  List<JobRef> refs(List<UUID> ids, JobFilter filter, int limit) {
    return filtered(REFS, ids, filter, limit)
        .query((row, n) -> new JobRef(row.getObject("id", UUID.class), row.getString("tenant")))
        .list();
  }

  private StatementSpec filtered(String statement, List<UUID> ids, JobFilter filter, int limit) {
    JobState state = filter.state();
    return jdbc.sql(statement)
        .param("ids", uuids(ids))
        .param("queue", filter.queue())
        .param("state", state == null ? null : state.label())
        .param("type", filter.type())
        .param("tenant", filter.tenant())
        .param(
            "labels", filter.labels().isEmpty() ? null : JSON.writeValueAsString(filter.labels()))
        .param("limit", limit);
  }

  List<UUID> scan(JobFilter filter, UUID before, UUID after, int limit) {
    return scan(filter)
        .param("before", before)
        .param("after", after)
        .param("limit", limit)
        .query((row, n) -> row.getObject("id", UUID.class))
        .list();
  }

  private StatementSpec scan(JobFilter filter) {
    JobState state = filter.state();
    String queue = filter.queue();
    if (state == null) {
      return queue == null ? jdbc.sql(SCAN) : jdbc.sql(SCAN_QUEUE).param("queue", queue);
    }
    return switch (state) {
      case QUEUED -> jdbc.sql(SCAN_QUEUED).param("queue", queue);
      case SCHEDULED, BLOCKED, RETRYING ->
          jdbc.sql(SCAN_DELAYED).param("state", state.label()).param("queue", queue);
      case RUNNING, CANCELLING ->
          jdbc.sql(SCAN_LEASED).param("state", state.label()).param("queue", queue);
      case SUCCEEDED -> jdbc.sql(SCAN_SUCCEEDED);
      case FAILED, CANCELLED, EXPIRED -> jdbc.sql(SCAN_UNSUCCESSFUL).param("state", state.label());
    };
  }

  List<Attempt> attempts(UUID id) {
    return jdbc.sql(ATTEMPTS)
        .param("id", id)
        .query(
            (row, n) ->
                new Attempt(
                    row.getInt("number"),
                    instant(row, "started_at"),
                    instant(row, "finished_at"),
                    row.getString("worker"),
                    error(row)))
        .list();
  }

  List<LogLine> log(UUID id) {
    return jdbc.sql(LOG).param("id", id).query((row, n) -> line(row)).list();
  }

  /** Of each reader the next lines, no more than the limit. */
  Map<LogReader, List<LogEntry>> lines(Collection<LogReader> readers, int limit) {
    return jdbc
        .sql(LINES)
        .param("ids", array("uuid", readers, LogReader::id))
        .param("attempts", array("integer", readers, reader -> reader.after().attempt()))
        .param("numbers", array("bigint", readers, reader -> reader.after().number()))
        .param("limit", limit)
        .query((row, n) -> Map.entry(reader(row), entry(row)))
        .list()
        .stream()
        .collect(groupingBy(Map.Entry::getKey, mapping(Map.Entry::getValue, toList())));
  }

  private static LogReader reader(ResultSet row) throws SQLException {
    return new LogReader(
        row.getObject("id", UUID.class),
        new LogPosition(row.getInt("read_attempt"), row.getLong("read_number")));
  }

  private static LogEntry entry(ResultSet row) throws SQLException {
    return new LogEntry(new LogPosition(row.getInt("attempt"), row.getLong("number")), line(row));
  }

  private static LogLine line(ResultSet row) throws SQLException {
    return new LogLine(row.getInt("attempt"), instant(row, "at"), row.getString("line"));
  }

  private static Job job(ResultSet row, int n) throws SQLException {
    UUID id = row.getObject("id", UUID.class);
    String labels = row.getString("labels");
    JobState state = JobState.of(row.getString("state"));
    Instant runAt = instantOrNull(row, "run_at");
    return new Job(
        id,
        row.getString("queue"),
        row.getString("type"),
        state,
        row.getInt("priority"),
        row.getString("payload"),
        row.getString("result"),
        end(state, error(row)),
        row.getInt("attempt"),
        row.getInt("max_attempts"),
        row.getInt("recoveries"),
        progress(row),
        runAt == null ? JobIds.submittedAt(id) : runAt,
        instantOrNull(row, "start_by"),
        Duration.ofMillis(row.getLong("timeout_ms")),
        instantOrNull(row, "started_at"),
        instantOrNull(row, "finished_at"),
        lastAttempt(row),
        row.getObject("rank", Long.class),
        row.getInt("version"),
        labels == null ? Map.of() : JSON.readValue(labels, LABELS),
        row.getString("tenant"),
        row.getString("callback"),
        concurrency(row),
        ids(row, "depends_on"),
        row.getBoolean("run_anyway"));
  }

  private static @Nullable Concurrency concurrency(ResultSet row) throws SQLException {
    String key = row.getString("concurrency_key");
    return key == null ? null : new Concurrency(key, row.getInt("concurrency_limit"));
  }

  /** Why it ended so. What the last attempt of a cancelled job told is no reason for that. */
  private static @Nullable JobError end(JobState state, @Nullable JobError error) {
    boolean dependent = error != null && error.type().equals(JobError.DEPENDENCY_FAILED);
    return state == JobState.FAILED || (state == JobState.CANCELLED && dependent) ? error : null;
  }

  private static List<UUID> ids(ResultSet row, String column) throws SQLException {
    Array ids = row.getArray(column);
    return ids == null ? List.of() : List.of((UUID[]) ids.getArray());
  }

  private static @Nullable Attempt lastAttempt(ResultSet row) throws SQLException {
    Instant startedAt = instantOrNull(row, "leased_at");
    return startedAt == null
        ? null
        : new Attempt(
            row.getInt("attempt"),
            startedAt,
            instantOrNull(row, "finished_at"),
            row.getString("worker"),
            error(row));
  }

  private static @Nullable Progress progress(ResultSet row) throws SQLException {
    Instant at = instantOrNull(row, "progress_at");
    return at == null
        ? null
        : new Progress(row.getInt("progress_percent"), row.getString("progress_message"), at);
  }

  private static @Nullable JobError error(ResultSet row) throws SQLException {
    String type = row.getString("error_type");
    return type == null ? null : new JobError(type, row.getString("error_message"));
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  private static @Nullable Instant instantOrNull(ResultSet row, String column) throws SQLException {
    OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }

  private static SqlArrayValue uuids(Collection<UUID> ids) {
    return array("uuid", ids, id -> id);
  }

  private static <T> SqlArrayValue array(
      String type, Collection<T> rows, Function<T, Object> column) {
    return new SqlArrayValue(type, rows.stream().map(column).toArray());
  }
}
