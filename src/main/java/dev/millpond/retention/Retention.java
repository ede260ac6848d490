package dev.millpond.retention;

import static java.util.Objects.requireNonNullElse;

import dev.millpond.job.DatabaseClock;
import dev.millpond.queue.Queue;
import dev.millpond.queue.Queues;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Keeps a week of partitions ready, and drops those of days of which no job is alive, finished less
 * than the retention ago, or young. Dropping a partition costs the same whether it holds ten jobs
 * or ten million, and gives the disk back. Only where queues keep their jobs for different times
 * are the jobs of those that keep them for shorter removed one by one.
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
  private final Queues queues;
  private final RetentionProperties properties;

  Retention(RetentionSql sql, DatabaseClock clock, Queues queues, RetentionProperties properties) {
    this.sql = sql;
    this.clock = clock;
    this.queues = queues;
    this.properties = properties;
    createAhead();
  }

  /** Jobs submitted before this moment may have been removed. */
  public Instant keptSince() {
    return clock.now().minus(kept().min(Comparator.naturalOrder()).orElseThrow());
  }

  /** For how long jobs are kept, somewhere. */
  private Stream<Duration> kept() {
    return Stream.concat(Stream.of(properties.finished()), queues.all().stream().map(this::kept));
  }

  private Duration kept(Queue queue) {
    return requireNonNullElse(queue.retention(), properties.finished());
  }

  @Scheduled(fixedDelayString = "PT1H", initialDelayString = "PT1M")
  void turn() {
    createAhead();
    while (sql.forgetAudit(clock.now().minus(properties.audit())) > 0) {
      log.debug("Removed lines of the audit log");
    }
    dropOld();
    removeOld();
  }

  private Duration longest() {
    return kept().max(Comparator.naturalOrder()).orElseThrow();
  }

  private void createAhead() {
    LocalDate today = today();
    // Yesterday as well: the clocks of database and node may stand on both sides of midnight.
    today.minusDays(1).datesUntil(today.plusDays(DAYS_AHEAD + 1L)).forEach(sql::create);
  }

  /** What the longest retention keeps the partition of, and its own queue does not. */
  void removeOld() {
    Duration longest = longest();
    queues.all().stream()
        .filter(queue -> kept(queue).compareTo(longest) < 0)
        .forEach(this::removeOld);
  }

  private void removeOld(Queue queue) {
    Instant before = clock.now().minus(kept(queue));
    UUID after = new UUID(0, 0);
    for (int removed = 1; removed > 0; ) {
      List<UUID> gone = sql.remove(queue.name(), after, before);
      removed = gone.size();
      after = gone.stream().max(Comparator.naturalOrder()).orElse(after);
    }
  }

  void dropOld() {
    Instant finishedBefore = clock.now().minus(longest());
    LocalDate oldest = LocalDate.ofInstant(finishedBefore, ZoneOffset.UTC);
    for (LocalDate day : sql.days()) {
      if (day.isBefore(oldest)) {
        drop(day, finishedBefore);
      }
    }
  }

  private void drop(LocalDate day, Instant finishedBefore) {
    try {
      if (sql.drop(day, finishedBefore)) {
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
