package dev.millpond.schedule;

import static java.util.stream.Collectors.groupingBy;

import dev.millpond.job.DatabaseClock;
import dev.millpond.schedule.Firing.State;
import dev.millpond.schedule.FiringSql.Claimed;
import dev.millpond.schedule.FiringSql.Due;
import dev.millpond.schedule.FiringSql.Planned;
import dev.millpond.schedule.Firings.Again;
import dev.millpond.schedule.ScheduleSql.Order;
import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * Waits for the next due time of all schedules, and claims it. One turn after another on Spring's
 * scheduler, never two at once; it owns its state, and what others have to say comes through the
 * inbox. While nothing is due it asks the database once in a poll what has changed.
 */
@Component
class FiringLoop {

  /** How often the settings are read that another node may have changed. */
  private static final Duration POLL = Duration.ofSeconds(5);

  /** How long a change may take to commit and still be seen by the poll. */
  private static final Duration COMMIT_LAG = Duration.ofSeconds(10);

  /** How often old firings are removed. */
  private static final Duration TRIM = Duration.ofMinutes(1);

  /** When to look again at a due time that another node is claiming at this moment. */
  private static final Duration CONTENDED = Duration.ofMillis(50);

  /** The clock that judges is the database's, which this node knows to within a round trip. */
  private static final Duration SURELY = Duration.ofMillis(1);

  private static final Duration AFTER_FAILURE = Duration.ofMillis(500);
  private static final Duration STOPPED = Duration.ofMillis(100);

  /** How many schedules, and about how many due times, are claimed in one statement. */
  private static final int MAX_SCHEDULES = 500;

  private static final int MAX_DUE = 2_000;

  /** Fire side by side; their submits share commits. More would crowd requests out of the pool. */
  private static final int SIDE_BY_SIDE = 4;

  private static final Duration LAST_ONES = Duration.ofSeconds(2);
  private static final int INBOX = 10_000;
  private static final Logger log = LoggerFactory.getLogger(FiringLoop.class);

  private final ScheduleSql schedules;
  private final FiringSql sql;
  private final Firings firings;
  private final DatabaseClock clock;
  private final ExecutorService side =
      Executors.newFixedThreadPool(SIDE_BY_SIDE, Thread.ofVirtual().name("firing-", 0).factory());

  /** What others want the turn to do: to know a schedule, to come back to a firing. */
  private final BlockingQueue<Runnable> inbox = new ArrayBlockingQueue<>(INBOX);

  /** Used by the turn alone, as all below. */
  private final Timetable timetable = new Timetable();

  private final PriorityQueue<Again> again = new PriorityQueue<>(Comparator.comparing(Again::at));
  private final Set<UUID> changed = new HashSet<>();
  private final Set<UUID> fired = new HashSet<>();
  private Instant seen = Instant.EPOCH;
  private Duration pause = Duration.ZERO;
  private long nextPoll = System.nanoTime();
  private long nextTrim = System.nanoTime() + TRIM.toNanos();

  /** Set when the stop begins. */
  private volatile boolean stopped;

  FiringLoop(ScheduleSql schedules, FiringSql sql, Firings firings, DatabaseClock clock) {
    this.schedules = schedules;
    this.sql = sql;
    this.firings = firings;
    this.clock = clock;
  }

  /** Tells the loop of a schedule that was set here; if it is not heard, the next poll finds it. */
  void tell(UUID id) {
    boolean _ = inbox.offer(() -> changed.add(id));
  }

  /** Waits until a schedule is due, or somebody has something to say. */
  @Scheduled(fixedDelay = 1, timeUnit = TimeUnit.MICROSECONDS)
  void turn() {
    try {
      Runnable first = inbox.poll(pause.toNanos(), TimeUnit.NANOSECONDS);
      pause = stopped ? STOPPED : work(first);
    } catch (InterruptedException end) {
      // The scheduler stops: there is no other turn.
      Thread.currentThread().interrupt();
    } catch (DataAccessException | TransactionException away) {
      log.warn("Cannot fire schedules: {}", away.getMessage());
      pause = AFTER_FAILURE;
    }
  }

  private Duration work(@Nullable Runnable first) {
    List<Runnable> said = new ArrayList<>();
    inbox.drainTo(said);
    Stream.concat(Stream.ofNullable(first), said.stream()).forEach(Runnable::run);
    if (!changed.isEmpty()) {
      reload();
    }
    if (System.nanoTime() - nextPoll >= 0) {
      poll();
    }
    Instant now = clock.now();
    claim(now);
    comeBack(now);
    return untilNext();
  }

  private void reload() {
    schedules.armed(changed).forEach(timetable::put);
    changed.clear();
  }

  private void poll() {
    for (Armed armed : schedules.changedAfter(seen.minus(COMMIT_LAG))) {
      timetable.put(armed);
      seen = armed.updatedAt().isAfter(seen) ? armed.updatedAt() : seen;
    }
    if (!timetable.isEmpty()) {
      launch(sql.takeOver(clock.now()));
    }
    if (System.nanoTime() - nextTrim >= 0) {
      trim();
    }
    nextPoll = System.nanoTime() + POLL.toNanos();
  }

  private void trim() {
    if (!fired.isEmpty()) {
      sql.trim(fired);
      fired.clear();
    }
    nextTrim = System.nanoTime() + TRIM.toNanos();
  }

  private void claim(Instant now) {
    Map<Armed, List<Plan>> plans = new LinkedHashMap<>();
    List<Planned> planned = new ArrayList<>();
    for (Armed armed : timetable.due(now, MAX_SCHEDULES)) {
      if (planned.size() < MAX_DUE) {
        List<Plan> due = Plan.of(armed.dueTimes(), armed.misfire(), armed.firedTo(), now);
        if (due.isEmpty()) {
          continue; // The clock was set back meanwhile.
        }
        plans.put(armed, due);
        for (int i = 0; i < due.size(); i++) {
          planned.add(new Planned(armed, due.get(i), i));
        }
      }
    }
    if (!planned.isEmpty()) {
      Map<UUID, List<Claimed>> claimed =
          sql.claim(planned).stream().collect(groupingBy(Claimed::id));
      plans.forEach(
          (armed, due) -> {
            List<Claimed> said = claimed.getOrDefault(armed.id(), List.of());
            if (!learn(armed, due.getLast().dueAt(), said, now)) {
              changed.add(armed.id());
            }
          });
      launch(claimed.values().stream().flatMap(List::stream).filter(Claimed::fires).toList(), now);
    }
  }

  /**
   * What the claim says of a schedule: whether somebody has been quicker, has changed it or removed
   * it. False if this node does not know it as it is.
   */
  private boolean learn(Armed armed, Instant last, List<Claimed> said, Instant now) {
    List<Instant> recorded =
        said.stream().map(Claimed::dueAt).filter(Objects::nonNull).sorted().toList();
    if (said.isEmpty()) {
      timetable.remove(armed.id());
    } else if (!recorded.isEmpty()) {
      timetable.put(armed.firedTo(recorded.getLast()));
      fired.add(armed.id());
      long missed = said.stream().filter(one -> !one.fires()).count();
      firings.count(State.MISSED, Math.toIntExact(missed));
    } else if (said.getFirst().revision() != armed.revision()) {
      timetable.postpone(armed, now.plus(CONTENDED));
      return false;
    } else if (!said.getFirst().firedTo().isBefore(last)) {
      timetable.put(armed.firedTo(said.getFirst().firedTo()));
    } else {
      timetable.postpone(armed, now.plus(CONTENDED));
    }
    return true;
  }

  private void launch(List<Claimed> claimed, Instant now) {
    launch(
        claimed.stream()
            .map(one -> new Due(one.id(), Objects.requireNonNull(one.dueAt()), now))
            .toList());
  }

  /** Fires beside the turn, by what the schedules say now. Of one that is gone nothing fires. */
  private void launch(List<Due> due) {
    if (due.isEmpty()) {
      return;
    }
    Map<UUID, List<Due>> bySchedule = due.stream().collect(groupingBy(Due::schedule));
    List<Order> orders;
    try {
      orders = schedules.orders(bySchedule.keySet());
    } catch (DataAccessException | TransactionException away) {
      again.add(new Again(due, clock.now().plus(AFTER_FAILURE)));
      throw away;
    }
    for (Order order : orders) {
      List<Due> inOrder =
          bySchedule.getOrDefault(order.id(), List.of()).stream()
              .sorted(Comparator.comparing(Due::dueAt))
              .toList();
      fired.add(order.id());
      side.execute(() -> fire(order, inOrder));
    }
  }

  private void fire(Order order, List<Due> due) {
    try {
      firings
          .fire(order, due)
          .ifPresent(
              later -> {
                // If it is not heard, some node takes it over when its time is up.
                boolean _ = inbox.offer(() -> again.add(later));
              });
    } catch (RuntimeException failed) {
      log.error("Cannot fire schedule {}", order.name(), failed);
    }
  }

  private void comeBack(Instant now) {
    List<Due> due = new ArrayList<>();
    while (!again.isEmpty() && !again.peek().at().isAfter(now)) {
      due.addAll(again.remove().due());
    }
    launch(due);
  }

  private Duration untilNext() {
    Duration wait = Duration.ofNanos(Math.max(0, nextPoll - System.nanoTime()));
    Instant next =
        Stream.concat(timetable.next().stream(), Stream.ofNullable(again.peek()).map(Again::at))
            .min(Comparator.naturalOrder())
            .orElse(Instant.MAX);
    Instant now = clock.now();
    return next.isBefore(now.plus(wait)) ? positive(Duration.between(now, next)) : wait;
  }

  private static Duration positive(Duration wait) {
    return wait.isNegative() ? Duration.ZERO : wait.plus(SURELY);
  }

  @EventListener(ContextClosedEvent.class)
  void stop() {
    stopped = true;
  }

  /** What was claimed is fired; the rest waits for another node, or for the next start. */
  @PreDestroy
  void close() throws InterruptedException {
    side.shutdown();
    boolean _ = side.awaitTermination(LAST_ONES.toMillis(), TimeUnit.MILLISECONDS);
  }
}
