package dev.millpond.faults;

import dev.millpond.job.Concurrency;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The database's own record of every change of a job, written by triggers in the transaction that
 * makes the change: what is in it happened, and nothing else did.
 */
final class Audit {

  private static final String INSTALL =
      """
      create table noted (
        number bigserial, at timestamptz default clock_timestamp(), kind text, job uuid, attempt integer, token uuid,
        worker text, error text, overdue boolean default false, transaction xid8 default pg_current_xact_id());
      create function audit_granted() returns trigger language plpgsql as $$ begin
        insert into noted (kind, job, attempt, token, worker)
        values ('granted', new.id, new.attempt, new.token, new.worker);
        return null;
      end $$;
      create function audit_ended() returns trigger language plpgsql as $$ begin
        insert into noted (kind, job, attempt, token, worker, overdue)
        values ('ended', old.id, old.attempt, old.token, old.worker, old.expires_at < clock_timestamp());
        return null;
      end $$;
      create function audit_again() returns trigger language plpgsql as $$ begin
        insert into noted (kind, job, attempt, token, worker, error)
        values ('again', new.id, new.number, new.token, new.worker, new.error_type);
        return null;
      end $$;
      create function audit_final() returns trigger language plpgsql as $$ begin
        insert into noted (kind, job, attempt, token, worker, error)
        values ('final', new.id, new.attempt, new.token, new.worker, new.error_type);
        return null;
      end $$;
      create function audit_reopened() returns trigger language plpgsql as $$ begin
        insert into noted (kind, job, attempt) values ('reopened', old.id, old.attempt);
        return null;
      end $$;
      create trigger audit_granted after insert on lease for each row execute function audit_granted();
      create trigger audit_ended after delete on lease for each row execute function audit_ended();
      create trigger audit_again after insert on attempt for each row execute function audit_again();
      create trigger audit_final after insert on finished for each row execute function audit_final();
      create trigger audit_reopened after delete on finished for each row execute function audit_reopened();
      """;

  private static final String CHANGES =
      """
      select number, extract(epoch from at - ?::timestamptz)::float8 as at, kind, noted.job, attempt, token, worker, error,
             overdue, transaction::text::bigint as transaction
      from noted left join job on job.id = noted.job
      where job.queue = ? or job.id is null
      order by number
      """;

  private static final String ENDS =
      """
      select job.id, coalesce(job.labels ->> 'key', '') as key, finished.state, coalesce(finished.attempt, 0) as attempt,
             coalesce(finished.max_attempts, job.max_attempts) as max_attempts,
             coalesce(extract(epoch from job.run_at - finished.started_at), 0)::float8 as early_by,
             substring(finished.result from 'effect ([0-9]+)')::int as effect, concurrency_key, concurrency_limit
      from job left join finished on finished.id = job.id
      where job.queue = ?
      """;

  private static final String SAMPLE =
      """
      select count(*), count(*) filter (where started_at is null),
             coalesce(extract(epoch from now() - min(runnable_at)), 0)::float8
      from (select started_at, runnable_at, queue from ready
            union all
            select started_at, null, queue from delayed) as waiting
      where queue = ?
      """;

  private Audit() {}

  static void install(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(INSTALL);
    }
  }

  /** Of the queue's jobs, and of what is no job at all. */
  static List<Change> changes(Connection connection, String queue, Instant start)
      throws SQLException {
    List<Change> changes = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(CHANGES)) {
      statement.setString(1, start.toString());
      statement.setString(2, queue);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          changes.add(
              new Change(
                  row.getLong("number"),
                  row.getDouble("at"),
                  Change.Kind.valueOf(row.getString("kind").toUpperCase(Locale.ROOT)),
                  row.getObject("job", UUID.class),
                  row.getInt("attempt"),
                  row.getObject("token", UUID.class),
                  row.getString("worker"),
                  row.getString("error"),
                  row.getBoolean("overdue"),
                  row.getLong("transaction")));
        }
      }
    }
    return changes;
  }

  static List<JobEnd> ends(Connection connection, String queue) throws SQLException {
    List<JobEnd> ends = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(ENDS)) {
      statement.setString(1, queue);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          ends.add(
              new JobEnd(
                  row.getObject("id", UUID.class),
                  row.getString("key"),
                  row.getString("state"),
                  row.getInt("attempt"),
                  row.getInt("max_attempts"),
                  row.getDouble("early_by"),
                  effect(row),
                  concurrency(row)));
        }
      }
    }
    return ends;
  }

  private static @Nullable Concurrency concurrency(ResultSet row) throws SQLException {
    String key = row.getString("concurrency_key");
    return key == null ? null : new Concurrency(key, row.getInt("concurrency_limit"));
  }

  private static @Nullable Integer effect(ResultSet row) throws SQLException {
    int effect = row.getInt("effect");
    return row.wasNull() ? null : effect;
  }

  static Event.Sampled sample(Connection connection, String queue, double at) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SAMPLE)) {
      statement.setString(1, queue);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Event.Sampled(at, row.getLong(1), row.getLong(2), row.getDouble(3));
      }
    }
  }
}
