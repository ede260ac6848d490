package dev.millpond.dependency;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toSet;

import dev.millpond.dependency.DependencySql.Moved;
import dev.millpond.dependency.DependencySql.Told;
import dev.millpond.job.JobState;
import dev.millpond.job.Watches;
import dev.millpond.lease.AccountInDoubt;
import dev.millpond.lease.Node;
import dev.millpond.queue.CallbacksDue;
import dev.millpond.queue.DependenciesDue;
import dev.millpond.queue.DepthChanged;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.LineChanged;
import dev.millpond.queue.Pulse;
import dev.millpond.queue.QueueName;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.event.EventListener;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Tells the ends of jobs to those who wait for them, until there are none to be told. Woken by such
 * an end on this node; what no hint told of, such as the ends of a node that died, is found at the
 * next sweep.
 */
@Component
class DependencyLoop {

  private static final Logger log = LoggerFactory.getLogger(DependencyLoop.class);

  private final DependencySql sql;
  private final Node node;
  private final Pulse pulse;
  private final Watches watches;
  private final ApplicationEventPublisher events;
  private final TaskScheduler scheduler;
  private final MeterRegistry meters;

  /** True while a turn is due that somebody was woken for. */
  private final AtomicBoolean woken = new AtomicBoolean();

  DependencyLoop(
      DependencySql sql,
      Node node,
      Pulse pulse,
      Watches watches,
      ApplicationEventPublisher events,
      TaskScheduler scheduler,
      MeterRegistry meters) {
    this.sql = sql;
    this.node = node;
    this.pulse = pulse;
    this.watches = watches;
    this.events = events;
    this.scheduler = scheduler;
    this.meters = meters;
  }

  @EventListener
  void on(DependenciesDue due) {
    if (woken.compareAndSet(false, true)) {
      try {
        var _ = scheduler.schedule(this::turn, scheduler.getClock().instant());
      } catch (TaskRejectedException stopping) {
        log.debug("Nothing more is told, the service stops");
      }
    }
  }

  @Scheduled(fixedDelayString = "${millpond.lease.sweep}")
  void sweep() {
    if (pulse.mayHaveEnds()) {
      turn();
    }
  }

  private void turn() {
    // First, so that what is due from here on brings another turn.
    woken.set(false);
    tell();
  }

  private synchronized void tell() {
    int ends;
    do {
      UUID account = node.account();
      Told told = AccountInDoubt.booking(events, account, () -> sql.resolve(account));
      follow(account, told.moved());
      ends = told.ends();
    } while (ends > 0);
  }

  private record Whose(QueueName queue, List<String> tenant) {

    static Whose of(Moved job) {
      return new Whose(job.queue(), job.tenant() == null ? List.of() : List.of(job.tenant()));
    }
  }

  private void follow(UUID account, List<Moved> moved) {
    moved.forEach(job -> watches.changed(job.id()));
    moved.stream()
        .collect(groupingBy(Whose::of))
        .forEach(
            (whose, jobs) ->
                events.publishEvent(
                    new DepthChanged(
                        account,
                        whose.queue(),
                        whose.tenant().stream().findFirst().orElse(null),
                        jobs.stream().mapToInt(Moved::waiting).sum(),
                        jobs.stream().mapToInt(Moved::runnable).sum())));
    Set<QueueName> ready =
        moved.stream().filter(job -> job.runnable() > 0).map(Moved::queue).collect(toSet());
    if (!ready.isEmpty()) {
      events.publishEvent(new JobsReady(ready, false));
    }
    moved.stream()
        .filter(job -> job.key() != null)
        .map(job -> new LineChanged(job.queue(), Objects.requireNonNull(job.key())))
        .distinct()
        .forEach(events::publishEvent);
    moved.stream()
        .map(Moved::delayMillis)
        .filter(Objects::nonNull)
        .min(Comparator.naturalOrder())
        .ifPresent(delay -> events.publishEvent(new JobsDelayed(Duration.ofMillis(delay))));
    List<Moved> cancelled = moved.stream().filter(job -> job.waiting() < 0).toList();
    if (!cancelled.isEmpty()) {
      events.publishEvent(new CallbacksDue());
      cancelled.forEach(
          job ->
              meters
                  .counter(
                      "millpond.jobs.finished",
                      "queue",
                      job.queue().value(),
                      "state",
                      JobState.CANCELLED.label())
                  .increment());
    }
  }
}
