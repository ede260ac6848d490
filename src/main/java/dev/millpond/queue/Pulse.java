package dev.millpond.queue;

import dev.millpond.queue.PulseSql.Signs;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * What a node asks the database about although nothing happened: in one statement a second for all
 * who would else ask one by one. Settings that were changed are in force then; whoever sweeps asks
 * here first whether there can be anything to find, so that a node at rest lets the database rest.
 */
@Component
public final class Pulse {

  /** What is older says nothing any more. */
  private static final Duration STALE = Duration.ofSeconds(3);

  private static final Logger log = LoggerFactory.getLogger(Pulse.class);

  private final Queues queues;
  private final PulseSql sql;

  /** The settings are read so often at least: what was put beside a change must not last. */
  private static final Duration READ_AGAIN = Duration.ofSeconds(10);

  /** As the settings were when they were last read, and when that was; used by the beat alone. */
  private @Nullable Long settings;

  private long readAt;

  private volatile Seen last = new Seen(Signs.UNKNOWN, System.nanoTime());

  private record Seen(Signs signs, long at) {}

  Pulse(Queues queues, PulseSql sql) {
    this.queues = queues;
    this.sql = sql;
  }

  @Scheduled(fixedDelayString = "PT0.9S")
  void beat() {
    long now = System.nanoTime();
    Signs signs = look();
    boolean same = settings != null && settings.equals(signs.settings());
    if (!same || now - readAt > READ_AGAIN.toNanos()) {
      queues.refresh();
      settings = signs.settings();
      readAt = now;
    }
    last = new Seen(signs, now);
  }

  /** Where the look takes too long, the settings are followed all the same. */
  private Signs look() {
    try {
      return sql.look();
    } catch (DataAccessException away) {
      log.debug("No pulse: {}", away.getMessage());
      return Signs.UNKNOWN;
    }
  }

  /** Whether a job may wait in any queue, for whatever. */
  public boolean mayWait() {
    return signs().waiting();
  }

  /** Whether a job may be leased to anybody. */
  public boolean mayBeLeased() {
    return signs().leased();
  }

  /** Whether somebody may have to look after a concurrency key. */
  public boolean mayHaveKeys() {
    return signs().keys();
  }

  /** Whether an end may be left that was not told to the jobs that wait for it. */
  public boolean mayHaveEnds() {
    return signs().ends();
  }

  /** Whether a callback may be left to be made, now or later. */
  public boolean mayCallBack() {
    return signs().callbacks();
  }

  private Signs signs() {
    Seen seen = last;
    return System.nanoTime() - seen.at() < STALE.toNanos() ? seen.signs() : Signs.UNKNOWN;
  }
}
