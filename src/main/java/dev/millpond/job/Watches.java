package dev.millpond.job;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Lets requests wait until a job has changed. They hold no connection to the database meanwhile.
 * What a worker or a client does on this node they are told at once; everything else is looked for,
 * by one statement for all who wait.
 */
@Component
public class Watches {

  private static final Logger log = LoggerFactory.getLogger(Watches.class);

  /** Each is a connection, of which the service has 10,000 for everybody. */
  private static final int MOST = 2_000;

  private final JobSql sql;
  private final AtomicInteger waiting = new AtomicInteger();
  private final Map<UUID, Set<Watcher>> watchers = new ConcurrentHashMap<>();

  /** Set once, when the service stops. */
  private volatile boolean stopping;

  Watches(JobSql sql, MeterRegistry meters) {
    this.sql = sql;
    Gauge.builder("millpond.watchers", waiting, AtomicInteger::get)
        .description("Requests that wait for a job to change")
        .register(meters);
  }

  /** One request that waits. */
  private static final class Watcher {

    /** Has a permit when there is a reason to look again. */
    final Semaphore hints = new Semaphore(0);

    /** The version that it saw last. */
    volatile int version;
  }

  /** Whether one more may wait; false when the service stops. */
  public boolean takesMore() {
    return !stopping && waiting.get() < MOST;
  }

  /**
   * Waits until the job is as it is wanted, and returns it; or as it is when the time is over or
   * the service stops. Empty if it is not there, or no longer.
   */
  public Optional<Job> await(UUID id, Predicate<Job> wanted, Duration atMost)
      throws InterruptedException {
    long end = System.nanoTime() + atMost.toNanos();
    Watcher watcher = new Watcher();
    // Before the first look: what changes after it is told.
    watchers.compute(
        id,
        (job, all) -> {
          Set<Watcher> those = all == null ? ConcurrentHashMap.newKeySet() : all;
          those.add(watcher);
          return those;
        });
    waiting.incrementAndGet();
    try {
      while (true) {
        Optional<Job> job = sql.find(id);
        long left = end - System.nanoTime();
        if (stopping || left <= 0 || job.filter(wanted.negate()).isEmpty()) {
          return job;
        }
        watcher.version = job.get().version();
        boolean _ = watcher.hints.tryAcquire(left, TimeUnit.NANOSECONDS);
        if (stopping) {
          // All at once: the database would be a crowd.
          return job;
        }
        watcher.hints.drainPermits();
      }
    } finally {
      waiting.decrementAndGet();
      watchers.computeIfPresent(
          id,
          (job, all) -> {
            all.remove(watcher);
            return all.isEmpty() ? null : all;
          });
    }
  }

  /** The job was changed, and the change is committed. */
  public void changed(UUID id) {
    watchers.getOrDefault(id, Set.of()).forEach(watcher -> watcher.hints.release());
  }

  /** Looks for changes that nobody told. */
  @Scheduled(fixedDelayString = "PT0.2S")
  void look() {
    Set<UUID> ids = Set.copyOf(watchers.keySet());
    if (!ids.isEmpty()) {
      try {
        Map<UUID, Integer> versions = sql.versions(ids);
        ids.forEach(id -> tell(id, versions.getOrDefault(id, 0)));
      } catch (DataAccessException away) {
        log.debug("Cannot look for changed jobs: {}", away.getMessage());
      }
    }
  }

  private void tell(UUID id, int version) {
    watchers.getOrDefault(id, Set.of()).stream()
        .filter(watcher -> watcher.version != version)
        .forEach(watcher -> watcher.hints.release());
  }

  /** Before all else stops, all are answered. */
  @EventListener(ContextClosedEvent.class)
  void stop() {
    stopping = true;
    watchers.keySet().forEach(this::changed);
  }
}
