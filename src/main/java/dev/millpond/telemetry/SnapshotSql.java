package dev.millpond.telemetry;

import java.time.Duration;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** What the database says of those who use it; from its memory alone. */
@Component
final class SnapshotSql {

  /**
   * Of the transactions in this database that keep dead rows from being removed, the one that began
   * first. Whoever is no member of pg_monitor sees those of its own role only. A vacuum does not
   * hold up others, whether it was told by hand or not: while it works its progress is shown (that
   * of vacuum full is shown elsewhere, which does hold them up), and before that it may wait for
   * the lock of its table.
   */
  private static final String OLDEST =
      """
      select extract(epoch from clock_timestamp() - began) * 1000 as age_ms, who
      from (select xact_start, 'process ' || pid || coalesce(' of ' || nullif(application_name, ''), '')
            from pg_stat_activity activity
            where (backend_xmin is not null or backend_xid is not null) and pid <> pg_backend_pid()
              and datname = current_database() and backend_type <> 'autovacuum worker'
              and not exists (
                select from pg_stat_progress_vacuum vacuum where vacuum.pid in (activity.pid, activity.leader_pid))
              and not exists (
                select from pg_locks
                where pg_locks.pid = activity.pid and not granted and mode = 'ShareUpdateExclusiveLock'
                  and activity.query ~* '^(\\s|/\\*.*?\\*/|--[^\\n]*\\n)*vacuum\\M')
            union all
            select prepared, 'prepared transaction ' || gid
            from pg_prepared_xacts
            where database = current_database()) as open (began, who)
      where began is not null
      order by began
      limit 1
      """;

  private final JdbcClient jdbc;

  SnapshotSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /**
   * A transaction.
   *
   * @param who holds it open, for a person
   */
  record Open(Duration age, String who) {}

  Optional<Open> oldest() {
    return jdbc.sql(OLDEST)
        .query((row, n) -> new Open(Duration.ofMillis(row.getLong("age_ms")), row.getString("who")))
        .optional();
  }
}
