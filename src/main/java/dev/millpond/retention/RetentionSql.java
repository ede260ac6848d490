package dev.millpond.retention;

import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
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
