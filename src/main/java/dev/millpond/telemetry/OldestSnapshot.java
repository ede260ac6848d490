package dev.millpond.telemetry;

import dev.millpond.telemetry.SnapshotSql.Open;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * For how long the oldest transaction in the database has been open. While one is, no dead row is
 * removed, and each job that passes leaves some that every claim walks over: a queue on PostgreSQL
 * gets slower by the minute. So it is a meter, and the log says who it is.
 */
@Component
class OldestSnapshot {

  /** A transaction that is as old as this is not one that works through a queue. */
  static final Duration LONG = Duration.ofSeconds(30);

  private static final Logger log = LoggerFactory.getLogger(OldestSnapshot.class);

  private final SnapshotSql sql;
  private volatile Duration age = Duration.ZERO;

  /** Who was complained of; empty if nobody. Of the scheduler's turns alone, one at a time. */
  private String named = "";

  OldestSnapshot(SnapshotSql sql, MeterRegistry meters) {
    this.sql = sql;
    Gauge.builder("millpond.database.oldest.transaction", () -> age.toMillis() / 1e3)
        .description("For how long the oldest transaction in the database has been open")
        .baseUnit("seconds")
        .register(meters);
  }

  @Scheduled(fixedDelayString = "PT15S")
  void measure() {
    try {
      Open oldest = sql.oldest().orElse(new Open(Duration.ZERO, ""));
      age = oldest.age();
      String who = age.compareTo(LONG) < 0 ? "" : oldest.who();
      if (!who.equals(named) && !who.isEmpty()) {
        log.warn(
            "The transaction of {} has been open for {} s: until it ends, dead rows pile up and"
                + " slow the queues down",
            who,
            age.toSeconds());
      }
      named = who;
    } catch (DataAccessException away) {
      log.debug("Cannot measure how old transactions are: {}", away.getMessage());
    }
  }
}
