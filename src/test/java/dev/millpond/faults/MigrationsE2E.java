package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Migrations of a database that is full, one by one, while nodes of an older version work on it.
 */
@Tag("whole")
@Timeout(600)
class MigrationsE2E {

  /** Before the columns, triggers and indexes of jobs that wait for others. */
  private static final String OLD = "008";

  /** In each of the tables that say where a job is, but for that of the leases, which is small. */
  private static final int ROWS = 200_000;

  private static final int LEASES = 1_000;

  private static final Logger log = LoggerFactory.getLogger(MigrationsE2E.class);

  private final Database.Details database = Database.fresh();

  @Test
  void noMigrationKeepsAStatementWaitingForASecond() throws SQLException {
    flyway(OLD).migrate();
    fill();
    MigrationInfo[] pending = flyway("latest").info().pending();
    assertThat(pending).isNotEmpty();
    OldNodes nodes = new OldNodes(database);
    try (nodes) {
      for (MigrationInfo next : pending) {
        String version = next.getVersion().getVersion();
        long began = System.nanoTime();
        Duration longest = nodes.beside("V" + version, () -> flyway(version).migrate());
        log.info(
            "V{} took {} ms, the slowest statement beside it {} ms",
            version,
            Duration.ofNanos(System.nanoTime() - began).toMillis(),
            longest.toMillis());
      }
      nodes.awaitDone();
    }
    assertThat(nodes.lockedOut()).isEmpty();
    // V009.2 gave the view more columns than the callers of its function had planned for: until
    // V014 has them plan anew.
    assertThat(nodes.failures())
        .allMatch(failure -> failure.matches("(?s)look beside V0(09\\.2|1[0-4]).*"));
  }

  private Flyway flyway(String target) {
    return Flyway.configure()
        .dataSource(database.getJdbcUrl(), database.getUsername(), database.getPassword())
        .configuration(Map.of("flyway.postgresql.transactional.lock", "false"))
        .target(target)
        .load();
  }

  /** Jobs of all states, by the thousand. */
  private void fill() throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("call create_partitions((now() at time zone 'UTC')::date)");
      statement.execute("call create_partitions((now() at time zone 'UTC')::date + 1)");
      fill(
          statement,
          ROWS,
          """
          insert into ready (id, rank, runnable_at, version, attempt, recoveries, max_attempts, priority, queue, type)
          select id, 1, now(), 1, 0, 0, max_attempts, priority, queue, type from added
          """);
      fill(
          statement,
          ROWS,
          """
          insert into delayed (id, due_at, version, attempt, recoveries, max_attempts, priority, queue)
          select id, now() + interval '1 h', 1, 0, 0, max_attempts, priority, queue from added
          """);
      fill(
          statement,
          ROWS,
          """
          insert into finished (id, finished_at, version, attempt, recoveries, max_attempts, state)
          select id, now(), 3, 1, 0, max_attempts, 'succeeded' from added
          """);
      fill(
          statement,
          LEASES,
          """
          insert into lease (id, token, expires_at, leased_at, started_at, rank, runnable_at, version, attempt, recoveries,
                             max_attempts, priority, cancel_requested, incarnation, worker, queue)
          select id, gen_random_uuid(), now() + interval '1 h', now(), now(), 1, now(), 2, 1, 0, max_attempts, priority,
                 false, gen_random_uuid(), 'old', queue
          from added
          """);
      statement.execute(
          """
          insert into idempotency_key (key, fingerprint, jobs)
          select sha256(id::text::bytea), sha256('body'), array[id] from job
          """);
    }
  }

  private static void fill(Statement statement, int rows, String place) throws SQLException {
    statement.execute(
        """
        with added as (
          insert into job (id, timeout_ms, initial_delay_ms, max_delay_ms, multiplier, max_attempts, priority, queue, type,
                           payload)
          select uuidv7(), 300000, 1000, 600000, 2, 5, 4, 'old', 'demo.noop', '{"n": ' || n || '}'
          from generate_series(1, %d) as n
          returning *
        )
        %s\
        """
            .formatted(rows, place));
  }
}
