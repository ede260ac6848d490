package dev.millpond.retention;

import dev.millpond.queue.QueueName;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Partitions by the day (UTC) on which jobs were submitted. What locks they take is said where they
 * are made, in V001.
 */
@Component
final class RetentionSql {

  private static final String CREATE =
      """
      call create_partitions(:day)
      """;

  /** From the catalogue alone. */
  private static final String DAYS =
      """
      select to_date(right(child.relname, 8), 'YYYYMMDD') as day
      from pg_inherits
      join pg_class child on child.oid = inhrelid
      where inhparent = 'job'::regclass
      order by day
      """;

  private static final String DROP =
      """
      select drop_partitions(:day, :finished_before)
      """;

  /**
   * By the index job_queue, from the oldest up; the finished ones by their primary key. What a
   * redrive or the client's DELETE has locked is skipped, and is theirs. A job stays while somebody
   * is still to be told of it.
   */
  private static final String REMOVE =
      """
      with old as (
        select job.id
        from job join finished on finished.id = job.id
        where job.queue = :queue and job.id > :after and job.id < uuid_floor(:finished_before)
          and finished.finished_at < :finished_before
          and not exists (select from callback_due where callback_due.id = job.id)
        order by job.id
        limit 1000
        for update of finished skip locked
      ), gone as (
        delete from finished using old where finished.id = old.id returning finished.id
      ), log as (
        delete from job_log using gone where job_log.id = gone.id
      ), history as (
        delete from attempt using gone where attempt.id = gone.id
      ), calls as (
        delete from callback_attempt using gone where callback_attempt.id = gone.id
      ), called_back as (
        delete from callback using gone where callback.id = gone.id
      ), dependent as (
        delete from dependency using gone where dependency.id = gone.id
      )
      delete from job using gone where job.id = gone.id
      returning job.id
      """;

  /** By the primary key, from the oldest up. */
  private static final String FORGET_AUDIT =
      """
      delete from audit where id in (select id from audit where id < uuid_floor(:before) order by id limit 10000)
      """;

  private final JdbcClient jdbc;

  RetentionSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  void create(LocalDate day) {
    jdbc.sql(CREATE).param("day", day).update();
  }

  List<LocalDate> days() {
    return jdbc.sql(DAYS).query((row, n) -> row.getObject("day", LocalDate.class)).list();
  }

  /** The jobs that were removed: a bounded number of the oldest ones after the given id. */
  List<UUID> remove(QueueName queue, UUID after, Instant finishedBefore) {
    return jdbc.sql(REMOVE)
        .param("queue", queue.value())
        .param("after", after)
        .param("finished_before", finishedBefore.atOffset(ZoneOffset.UTC))
        .query((row, n) -> row.getObject("id", UUID.class))
        .list();
  }

  /** How many lines were removed, a bounded number. */
  int forgetAudit(Instant before) {
    return jdbc.sql(FORGET_AUDIT).param("before", before.atOffset(ZoneOffset.UTC)).update();
  }

  /** False if something in it is still needed. */
  boolean drop(LocalDate day, Instant finishedBefore) {
    OffsetDateTime moment = finishedBefore.atOffset(ZoneOffset.UTC);
    return jdbc.sql(DROP)
        .param("day", day)
        .param("finished_before", moment)
        .query((row, n) -> row.getBoolean(1))
        .single();
  }
}
