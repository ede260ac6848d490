package dev.millpond.job;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Tells those who watch a job that it has changed. They hold neither a thread nor a connection to
 * the database: whatever changed while the last jobs were read is read next, in one statement for
 * all who watch. What a worker or a client does on this node is told at once, what another node
 * does when that one tells of it; everything else is looked for.
 */
@Component
public class Watches {

  /** Each is a connection, of which the service has 10,000 for everybody. */
  private static final int MOST = 5_000;

  /** How many jobs a statement reads: each may have half a megabyte. */
  private static final int GROUP = 100;

  /** How many log lines a watcher is shown at once; with as many, it may ask for more. */
  public static final int LINES = 100;

  /**
   * How often other nodes are told that somebody watches here, and for how long they believe it.
   */
  private static final Duration ANNOUNCE = Duration.ofSeconds(3);

  private static final Duration BELIEVE = Duration.ofSeconds(10);
  private static final Logger log = LoggerFactory.getLogger(Watches.class);

  private final JobSql sql;
  private final ApplicationEventPublisher events;
  private final AtomicInteger count = new AtomicInteger();
  private final Map<UUID, Set<Watch>> watched = new ConcurrentHashMap<>();

  /** The jobs to be read. */
  private final Set<UUID> hints = ConcurrentHashMap.newKeySet();

  /** Whether a thread reads them. */
  private final AtomicBoolean reading = new AtomicBoolean();

  /** When it was last announced that somebody watches, and until when others do. */
  private final AtomicLong announced = new AtomicLong(System.nanoTime() - ANNOUNCE.toNanos());

  private volatile long othersUntil = System.nanoTime();

  /** Set once, when the service stops. */
  private volatile boolean stopping;

  Watches(JobSql sql, ApplicationEventPublisher events, MeterRegistry meters) {
    this.sql = sql;
    this.events = events;
    Gauge.builder("millpond.watchers", count, AtomicInteger::get)
        .description("Requests that wait for a job to change, and event streams")
        .register(meters);
  }

  /** One watcher of one job, until it is closed. */
  public final class Watch implements AutoCloseable {

    private final UUID id;
    private final Watcher watcher;

    /** What was seen last; none yet, or none again, if it is negative. */
    private volatile int version = -1;

    private Watch(UUID id, Watcher watcher) {
      this.id = id;
      this.watcher = watcher;
    }

    /** Has the job shown, whether it has changed or not. */
    public void lookAgain() {
      hint(id);
    }

    @Override
    public void close() {
      watched.computeIfPresent(
          id,
          (job, all) -> {
            if (all.remove(this)) {
              count.decrementAndGet();
            }
            return all.isEmpty() ? null : all;
          });
    }
  }

  /** A request that waits for one change. */
  private static final class Wait implements Watcher {

    final Predicate<Job> wanted;
    final CompletableFuture<Optional<Job>> answer = new CompletableFuture<>();

    /** Whether it takes the job as it is, wanted or not. */
    volatile boolean over;

    Wait(Predicate<Job> wanted) {
      this.wanted = wanted;
    }

    @Override
    public void see(Optional<Job> job, List<LogEntry> lines) {
      if (over || job.filter(wanted.negate()).isEmpty()) {
        answer.complete(job);
      }
    }

    @Override
    public void miss(RuntimeException why) {
      if (over) {
        answer.completeExceptionally(why);
      }
    }

    @Override
    public void stop() {
      over = true;
    }
  }

  /** Whether one more may watch; false when the service stops. */
  public boolean takesMore() {
    return !stopping && count.get() < MOST;
  }

  /** Has a watcher told of each change of a job from now on. */
  public Watch open(UUID id, Watcher watcher) {
    Watch watch = new Watch(id, watcher);
    watched.compute(
        id,
        (job, all) -> {
          Set<Watch> those = all == null ? ConcurrentHashMap.newKeySet(1) : all;
          those.add(watch);
          return those;
        });
    count.incrementAndGet();
    announce();
    return watch;
  }

  /**
   * The job as soon as it is as it is wanted; or as it is when the time is over or the service
   * stops. Empty if it is not there, or no longer.
   */
  public CompletableFuture<Optional<Job>> await(UUID id, Predicate<Job> wanted, Duration atMost) {
    Wait wait = new Wait(wanted);
    // Before the first look: what changes after it is told.
    Watch watch = open(id, wait);
    try {
      Optional<Job> now = sql.find(id);
      now.ifPresent(job -> watch.version = job.version());
      wait.see(now, List.of());
    } catch (RuntimeException failed) {
      watch.close();
      throw failed;
    }
    CompletableFuture<Void> time = new CompletableFuture<>();
    var _ =
        wait.answer.whenComplete(
            (job, failure) -> {
              watch.close();
              time.cancel(false);
            });
    var _ =
        time.completeOnTimeout(null, atMost.toNanos(), TimeUnit.NANOSECONDS)
            .thenRun(() -> end(watch));
    if (stopping) {
      end(watch);
    }
    return wait.answer;
  }

  private static void end(Watch watch) {
    watch.watcher.stop();
    watch.lookAgain();
  }

  /** The job was changed on this node, and the change is committed. */
  public void changed(UUID id) {
    hint(id);
    if (System.nanoTime() - othersUntil < 0) {
      events.publishEvent(new JobChanged(id));
    }
  }

  /** On another node somebody watches jobs. */
  public void othersWatch() {
    othersUntil = System.nanoTime() + BELIEVE.toNanos();
  }

  private void announce() {
    long last = announced.get();
    long now = System.nanoTime();
    if (now - last >= ANNOUNCE.toNanos() && announced.compareAndSet(last, now)) {
      events.publishEvent(new JobsWatched());
    }
  }

  /** The job may have changed: it is read, if somebody watches it. */
  public void hint(UUID id) {
    if (watched.containsKey(id)) {
      hints.add(id);
      read();
    }
  }

  private void read() {
    if (!hints.isEmpty() && reading.compareAndSet(false, true)) {
      Thread.ofVirtual().name("watches").start(this::readAll);
    }
  }

  private void readAll() {
    try {
      while (!hints.isEmpty()) {
        readSome();
      }
    } finally {
      reading.set(false);
    }
    read();
  }

  private void readSome() {
    List<UUID> ids = hints.stream().limit(GROUP).toList();
    // Before they are read: what changes meanwhile is read once more.
    ids.forEach(hints::remove);
    try {
      Map<UUID, Job> jobs = jobs(ids);
      Map<LogReader, List<LogEntry>> lines = lines(jobs);
      ids.forEach(id -> each(id, watch -> show(watch, Optional.ofNullable(jobs.get(id)), lines)));
    } catch (RuntimeException failed) {
      log.debug("Cannot read watched jobs", failed);
      ids.forEach(
          id ->
              each(
                  id,
                  watch -> {
                    watch.version = -1;
                    watch.watcher.miss(failed);
                  }));
    }
  }

  /** One alone is read by the statement that is planned already. */
  private Map<UUID, Job> jobs(List<UUID> ids) {
    return (ids.size() == 1 ? sql.find(ids.getFirst()).stream() : sql.findAll(ids).stream())
        .collect(Collectors.toMap(Job::id, job -> job));
  }

  /** Of the jobs that have started, for those who read logs. */
  private Map<LogReader, List<LogEntry>> lines(Map<UUID, Job> jobs) {
    Set<LogReader> readers =
        jobs.values().stream()
            .filter(job -> job.startedAt() != null)
            .flatMap(job -> watched.getOrDefault(job.id(), Set.of()).stream())
            .flatMap(watch -> watch.watcher.read().map(at -> new LogReader(watch.id, at)).stream())
            .collect(Collectors.toSet());
    return readers.isEmpty() ? Map.of() : sql.lines(readers, LINES);
  }

  private void show(Watch watch, Optional<Job> job, Map<LogReader, List<LogEntry>> lines) {
    job.ifPresent(seen -> watch.version = seen.version());
    watch.watcher.see(
        job,
        watch
            .watcher
            .read()
            .map(at -> lines.getOrDefault(new LogReader(watch.id, at), List.of()))
            .orElse(List.of()));
    if (stopping) {
      // It may have been opened when the others were told.
      watch.watcher.stop();
    }
  }

  private void each(UUID id, Consumer<Watch> tell) {
    for (Watch watch : watched.getOrDefault(id, Set.of())) {
      try {
        tell.accept(watch);
      } catch (RuntimeException failed) {
        log.warn("A watcher of job {} could not be told", id, failed);
      }
    }
  }

  /** Looks for changes that nobody told. */
  @Scheduled(fixedDelayString = "PT0.2S")
  void look() {
    Set<UUID> ids = Set.copyOf(watched.keySet());
    if (!ids.isEmpty()) {
      announce();
      try {
        Map<UUID, Integer> versions = sql.versions(ids);
        ids.stream()
            .filter(
                id ->
                    watched.getOrDefault(id, Set.of()).stream()
                        .anyMatch(watch -> watch.version != versions.getOrDefault(id, 0)))
            .forEach(hints::add);
        read();
      } catch (DataAccessException away) {
        log.debug("Cannot look for changed jobs: {}", away.getMessage());
      }
    }
  }

  /** Before all else stops, all are answered. */
  @EventListener(ContextClosedEvent.class)
  void stop() {
    stopping = true;
    watched.keySet().forEach(id -> each(id, Watches::end));
  }
}
