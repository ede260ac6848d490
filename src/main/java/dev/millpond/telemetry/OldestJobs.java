package dev.millpond.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** The meter to alert on: for how long the oldest job that could start has waited, by queue. */
@Component
class OldestJobs {

  /** Ten steps into ready_next a queue: the oldest job of each priority. Takes no lock. */
  private static final String AGES =
      """
      select queue.name, coalesce(extract(epoch from now() - min(oldest.runnable_at)), 0) as seconds
      from queue
      left join lateral (
        select (select runnable_at from ready
                where ready.queue = queue.name and ready.priority = p and recoveries = 0
                order by rank, id
                limit 1) as runnable_at
        from generate_series(0, 9) as p) as oldest on true
      group by queue.name
      """;

  private static final Logger log = LoggerFactory.getLogger(OldestJobs.class);

  private final JdbcClient jdbc;
  private final MultiGauge ages;

  OldestJobs(JdbcClient jdbc, MeterRegistry meters) {
    this.jdbc = jdbc;
    this.ages =
        MultiGauge.builder("millpond.queue.oldest.age")
            .description("For how long the oldest job that could start has waited")
            .baseUnit("seconds")
            .register(meters);
  }

  private static Row<Number> age(ResultSet row) throws SQLException {
    return Row.of(Tags.of("queue", row.getString("name")), row.getDouble("seconds"));
  }

  @Scheduled(fixedDelayString = "PT15S")
  void measure() {
    try {
      ages.register(jdbc.sql(AGES).query((row, n) -> age(row)).list(), true);
    } catch (DataAccessException away) {
      log.debug("Cannot measure how old the waiting jobs are: {}", away.getMessage());
    }
  }
}
