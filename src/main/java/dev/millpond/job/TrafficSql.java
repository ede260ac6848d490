package dev.millpond.job;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/** Reads of queues as a whole, off the hot path. None takes a lock; all are by a queue's name. */
@Component
final class TrafficSql {

  /** Counts all rows of the queues in the three tables, which have an index or are small. */
  private static final String COUNTS =
      """
      select queue, sum(queued) as queued, sum(scheduled) as scheduled, sum(blocked) as blocked,
             sum(retrying) as retrying, sum(running) as running
      from (select queue, count(*) as queued, 0 as scheduled, 0 as blocked, 0 as retrying, 0 as running
            from ready
            where queue = any(:queues)
            group by queue
            union all
            select queue, count(key), count(*) filter (where missing is null and key is null and attempt = 0),
                   count(*) filter (where missing is not null),
                   count(*) filter (where missing is null and key is null and attempt > 0), 0
            from delayed
            where queue = any(:queues)
            group by queue
            union all
            select queue, 0, 0, 0, 0, count(*)
            from lease
            where queue = any(:queues)
            group by queue) as counted
      group by queue
      """;

  /** Ten steps into ready_next a queue: the job of each priority that is next in line. */
  private static final String OLDEST =
      """
      select named.queue, extract(epoch from now() - min(next.runnable_at)) * 1000 as age_ms
      from unnest(:queues) as named (queue)
      cross join lateral (
        select (select runnable_at from ready
                where ready.queue = named.queue and priority = p and recoveries = 0
                order by rank, id
                limit 1) as runnable_at
        from generate_series(0, 9) as p) as next
      where next.runnable_at is not null
      group by named.queue
      """;

  /** By the index job_queue: the newest jobs of each queue, a bounded number of each. */
  private static final String ARRIVALS =
      """
      select named.queue, count(*) as jobs, (array_agg(newest.id order by newest.id))[1] as first,
             now() as now
      from unnest(:queues) as named (queue)
      cross join lateral (
        select id from job
        where job.queue = named.queue and id >= uuid_floor(now() - :window * interval '1 millisecond')
        order by id desc
        limit :most) as newest
      group by named.queue
      """;

  private final JdbcClient jdbc;

  TrafficSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** Queues without an unfinished job are left out. */
  Map<String, QueueCounts> counts(List<String> queues) {
    Map<String, QueueCounts> counts = new HashMap<>();
    of(queues, COUNTS)
        .query(
            row -> {
              counts.put(
                  row.getString("queue"),
                  new QueueCounts(
                      row.getLong("queued"),
                      row.getLong("scheduled"),
                      row.getLong("blocked"),
                      row.getLong("retrying"),
                      row.getLong("running")));
            });
    return counts;
  }

  /** Queues in which nothing could start are left out. */
  Map<String, Duration> oldest(List<String> queues) {
    Map<String, Duration> ages = new HashMap<>();
    of(queues, OLDEST)
        .query(
            row -> {
              ages.put(
                  row.getString("queue"), Duration.ofMillis(Math.max(0, row.getLong("age_ms"))));
            });
    return ages;
  }

  /**
   * Jobs submitted in a second; queues without any are left out.
   *
   * @param window over so long
   * @param most or over the time of so many jobs, if they came in less
   */
  Map<String, Double> arrivals(List<String> queues, Duration window, int most) {
    Map<String, Double> rates = new HashMap<>();
    of(queues, ARRIVALS)
        .param("window", window.toMillis())
        .param("most", most)
        .query(
            row -> {
              int jobs = row.getInt("jobs");
              Instant first = JobIds.submittedAt(row.getObject("first", UUID.class));
              Instant now = row.getObject("now", OffsetDateTime.class).toInstant();
              Duration time = jobs < most ? window : Duration.between(first, now);
              rates.put(row.getString("queue"), 1_000.0 * jobs / Math.max(1, time.toMillis()));
            });
    return rates;
  }

  private StatementSpec of(List<String> queues, String statement) {
    return jdbc.sql(statement).param("queues", new SqlArrayValue("text", queues.toArray()));
  }
}
