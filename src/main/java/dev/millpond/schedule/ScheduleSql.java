package dev.millpond.schedule;

import dev.millpond.admission.Submission;
import dev.millpond.queue.QueueName;
import dev.millpond.schedule.Schedule.Settings;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The settings. Not by JPA, although people edit them: how far the calendar has come stands in the
 * same row, and a change of both is one statement.
 */
@Component
final class ScheduleSql {

  /**
   * By the unique name, which two clients may want at once: one of them inserts it. The count looks
   * at all schedules; nodes that create at once may go beyond the bound by as many as they are.
   */
  private static final String CREATE =
      """
      insert into schedule (id, fired_to, created_at, updated_at, anchor, every_ms, revision, paused, name, cron,
                            time_zone, queue, misfire, overlap, job)
      select :id, now(), now(), now(), :anchor::timestamptz, :every_ms::bigint, 1, :paused, :name, :cron::text,
             :time_zone::text, :queue, :misfire, :overlap, :job
      where (select count(*) from schedule) < :max
      on conflict (name) do nothing
      """;

  /**
   * By the primary key, if nobody has changed it meanwhile. What was due before another calendar,
   * or during a pause, is no more: the calendar goes on from now. Waits for a claim of its due
   * times.
   */
  private static final String CHANGE =
      """
      update schedule
      set fired_to = case when :restarts then greatest(fired_to, now()) else fired_to end,
          updated_at = now(),
          anchor = :anchor,
          every_ms = :every_ms,
          revision = revision + 1,
          paused = :paused,
          cron = :cron,
          time_zone = :time_zone,
          queue = :queue,
          misfire = :misfire,
          overlap = :overlap,
          job = :job
      where id = :id and revision = :revision
      """;

  /** By the unique name; its firings go with it. Waits for a claim of its due times. */
  private static final String DELETE =
      """
      delete from schedule where name = :name
      """;

  /** By the unique name. */
  private static final String FIND =
      """
      select id, name, revision, every_ms, anchor, cron, time_zone, queue, misfire, overlap, paused, job, created_at,
             updated_at
      from schedule
      where name = :name
      """;

  /** In the order of the unique name, as many as a page has. */
  private static final String LIST =
      """
      select id, name, revision, every_ms, anchor, cron, time_zone, queue, misfire, overlap, paused, job, created_at,
             updated_at
      from schedule
      where name > :after
      order by name
      limit :limit
      """;

  /** Scans the table, without the jobs, which are stored apart. Takes no lock. */
  private static final String CHANGED =
      """
      select id, revision, every_ms, anchor, cron, time_zone, misfire, paused, fired_to, updated_at
      from schedule
      where updated_at > :moment
      """;

  /** By the primary key. */
  private static final String ARMED =
      """
      select id, revision, every_ms, anchor, cron, time_zone, misfire, paused, fired_to, updated_at
      from schedule
      where id = any(:ids::uuid[])
      """;

  /** By the primary key. */
  private static final String ORDERS =
      """
      select id, name, queue, overlap, paused, job, every_ms, anchor, cron, time_zone
      from schedule
      where id = any(:ids::uuid[])
      """;

  // A node of another version may have written a submission with more members, or with less.
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private final JdbcClient jdbc;

  ScheduleSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** False if there is one of this name, or there are as many as there may be. */
  boolean create(UUID id, String name, Settings settings, Instant now, int max) {
    return settings(jdbc.sql(CREATE), settings, now)
            .param("id", id)
            .param("name", name)
            .param("max", max)
            .update()
        > 0;
  }

  /**
   * False if it is not there any more as it was.
   *
   * @param restarts whether the calendar goes on from now
   */
  boolean change(Schedule before, Settings settings, boolean restarts, Instant now) {
    return settings(jdbc.sql(CHANGE), settings, now)
            .param("id", before.id())
            .param("revision", before.revision())
            .param("restarts", restarts)
            .update()
        > 0;
  }

  private static StatementSpec settings(StatementSpec statement, Settings settings, Instant now) {
    Cron cron = settings.dueTimes() instanceof Cron given ? given : null;
    Every every = settings.dueTimes() instanceof Every given ? given : null;
    return statement
        .param("anchor", (every == null ? now : every.anchor()).atOffset(ZoneOffset.UTC))
        .param("every_ms", every == null ? null : every.period().toMillis())
        .param("cron", cron == null ? null : cron.expression())
        .param("time_zone", cron == null ? null : cron.zone().getId())
        .param("paused", settings.paused())
        .param("queue", settings.queue().value())
        .param("misfire", settings.misfire().label())
        .param("overlap", settings.overlap().label())
        .param("job", JSON.writeValueAsString(settings.job()));
  }

  boolean delete(String name) {
    return jdbc.sql(DELETE).param("name", name).update() > 0;
  }

  Optional<Schedule> find(String name) {
    return jdbc.sql(FIND).param("name", name).query(ScheduleSql::schedule).optional();
  }

  List<Schedule> list(String after, int limit) {
    return jdbc.sql(LIST)
        .param("after", after)
        .param("limit", limit)
        .query(ScheduleSql::schedule)
        .list();
  }

  List<Armed> changedAfter(Instant moment) {
    return jdbc.sql(CHANGED)
        .param("moment", moment.atOffset(ZoneOffset.UTC))
        .query(ScheduleSql::armed)
        .list();
  }

  List<Armed> armed(Collection<UUID> ids) {
    return jdbc.sql(ARMED).param("ids", array(ids)).query(ScheduleSql::armed).list();
  }

  /**
   * What a firing of a schedule is about.
   *
   * @param job what it submits
   */
  record Order(
      UUID id,
      String name,
      QueueName queue,
      Overlap overlap,
      boolean paused,
      Submission job,
      DueTimes dueTimes) {}

  List<Order> orders(Collection<UUID> ids) {
    return jdbc.sql(ORDERS)
        .param("ids", array(ids))
        .query(
            (row, n) ->
                new Order(
                    row.getObject("id", UUID.class),
                    row.getString("name"),
                    new QueueName(row.getString("queue")),
                    Overlap.of(row.getString("overlap")).orElseThrow(),
                    row.getBoolean("paused"),
                    JSON.readValue(row.getString("job"), Submission.class),
                    dueTimes(row)))
        .list();
  }

  private static SqlArrayValue array(Collection<UUID> ids) {
    return new SqlArrayValue("uuid", ids.toArray());
  }

  private static Schedule schedule(ResultSet row, int n) throws SQLException {
    return new Schedule(
        row.getObject("id", UUID.class),
        row.getString("name"),
        row.getInt("revision"),
        new Settings(
            dueTimes(row),
            new QueueName(row.getString("queue")),
            JSON.readValue(row.getString("job"), Submission.class),
            Misfire.of(row.getString("misfire")).orElseThrow(),
            Overlap.of(row.getString("overlap")).orElseThrow(),
            row.getBoolean("paused")),
        instant(row, "created_at"),
        instant(row, "updated_at"));
  }

  private static Armed armed(ResultSet row, int n) throws SQLException {
    return new Armed(
        row.getObject("id", UUID.class),
        row.getInt("revision"),
        dueTimes(row),
        Misfire.of(row.getString("misfire")).orElseThrow(),
        row.getBoolean("paused"),
        instant(row, "fired_to"),
        instant(row, "updated_at"));
  }

  private static DueTimes dueTimes(ResultSet row) throws SQLException {
    @Nullable String cron = row.getString("cron");
    return cron == null
        ? new Every(Duration.ofMillis(row.getLong("every_ms")), instant(row, "anchor"))
        : new Cron(cron, ZoneId.of(row.getString("time_zone")));
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }
}
