package dev.millpond.retention;

import dev.millpond.job.DatabaseClock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Keeps a week of partitions ready, and drops those of days of which no job is alive, finished less
 * than the retention ago, or young. Dropping a partition costs the same whether it holds ten jobs
 * or ten million, and gives the disk back.
 */
@Component
public class Retention {

  /**
   * How many days ahead partitions are there, so that a service whose turn fails has a week to be
   * noticed.
   */
  private static final int DAYS_AHEAD = 7;

  private static final Logger log = LoggerFactory.getLogger(Retention.class);

  private final RetentionSql sql;
  private final DatabaseClock clock;
  private final Duration finished;

  Retention(RetentionSql sql, DatabaseClock clock, RetentionProperties properties) {
    this.sql = sql;
    this.clock = clock;
    this.finished = properties.finished();
    createAhead();
  }

  /** Jobs submitted before this moment may have been removed. */
  public Instant keptSince() {
    return clock.now().minus(finished);
  }

  @Scheduled(fixedDelayString = "PT1H", initialDelayString = "PT1M")
  void turn() {
    createAhead();
    dropOld();
  }

  private void createAhead() {
    LocalDate today = today();
    // Yesterday as well: the clocks of database and node may stand on both sides of midnight.
    today.minusDays(1).datesUntil(today.plusDays(DAYS_AHEAD + 1L)).forEach(sql::create);
  }

  void dropOld() {
    LocalDate oldest = LocalDate.ofInstant(keptSince(), ZoneOffset.UTC);
    for (LocalDate day : sql.days()) {
      if (day.isBefore(oldest)) {
        drop(day);
      }
    }
  }

  private void drop(LocalDate day) {
    try {
      if (sql.drop(day, keptSince())) {
        log.info("Removed the jobs submitted on {}", day);
      }
    } catch (DataAccessException busy) {
      log.info("The jobs submitted on {} stay until the next turn: {}", day, busy.getMessage());
    }
  }

  private LocalDate today() {
    return LocalDate.ofInstant(clock.now(), ZoneOffset.UTC);
  }
}
