package dev.millpond.lease;

import dev.millpond.job.GroupCommit;
import dev.millpond.lease.KeySlotSql.Promoted;
import dev.millpond.queue.DepthChanged;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.LineChanged;
import dev.millpond.queue.Pulse;
import dev.millpond.queue.QueueName;
import jakarta.annotation.PreDestroy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Who of those that wait for a concurrency key may start. All jobs with a key wait in its line, out
 * of the way of the claims, until there is a slot for them; from then on they are as any other job.
 * A slot is taken as long as its job is ready or leased, which is looked up each time, so that none
 * can be lost: this node looks when it hears of a reason to, and {@link #sweep} finds what nobody
 * was left to look for.
 */
@Component
class KeySlots {

  /** What does not fit is found by the sweep. */
  private static final int MAX_WAITING = 100_000;

  private static final int MAX_GROUP = 1_000;

  /** Each is a lock in PostgreSQL, of which there is room for a few thousand. */
  private static final int MAX_KEYS = 200;

  /** What is more is left to the next one. */
  private static final int SWEEP = 10_000;

  private static final Logger log = LoggerFactory.getLogger(KeySlots.class);

  private final KeySlotSql sql;
  private final Node node;
  private final Pulse pulse;
  private final ApplicationEventPublisher events;
  private final GroupCommit<Reason, Boolean> looks;

  KeySlots(KeySlotSql sql, Node node, Pulse pulse, ApplicationEventPublisher events) {
    this.sql = sql;
    this.node = node;
    this.pulse = pulse;
    this.events = events;
    this.looks =
        new GroupCommit<>("keys", MAX_WAITING, MAX_GROUP, reason -> reason.rows(), this::look);
  }

  /** Why to look: a key, or jobs that may have one. */
  private record Reason(@Nullable LineChanged line, List<UUID> jobs) {

    int rows() {
      return Math.max(1, jobs.size());
    }
  }

  @EventListener
  void on(LineChanged line) {
    look(new Reason(line, List.of()));
  }

  @EventListener
  void on(JobsMoved jobs) {
    look(new Reason(null, jobs.ids()));
  }

  private void look(Reason reason) {
    try {
      var _ = looks.add(reason);
    } catch (IllegalStateException full) {
      log.debug("A concurrency key is left to the sweep: {}", full.getMessage());
    }
  }

  private List<Boolean> look(List<Reason> reasons) {
    Set<LineChanged> lines = new LinkedHashSet<>();
    Set<UUID> jobs = new LinkedHashSet<>();
    for (Reason reason : reasons) {
      jobs.addAll(reason.jobs());
      if (reason.line() != null) {
        lines.add(reason.line());
      }
    }
    if (!jobs.isEmpty()) {
      lines.addAll(sql.keys(jobs));
    }
    promote(lines);
    return Collections.nCopies(reasons.size(), true);
  }

  @Scheduled(fixedDelayString = "${millpond.lease.sweep}")
  void sweep() {
    if (pulse.mayHaveKeys()) {
      turn();
    }
  }

  /** Looks at all keys of which somebody should have. */
  void turn() {
    promote(sql.unheard(SWEEP));
  }

  private void promote(Collection<LineChanged> lines) {
    Deque<LineChanged> left = new ArrayDeque<>(lines);
    while (!left.isEmpty()) {
      List<LineChanged> some = new ArrayList<>();
      while (!left.isEmpty() && some.size() < MAX_KEYS) {
        some.add(left.remove());
      }
      UUID account = node.account();
      AccountInDoubt.booking(events, account, () -> sql.promote(account, some))
          .forEach(promoted -> tell(account, promoted));
    }
  }

  private void tell(UUID account, Promoted promoted) {
    QueueName queue = promoted.queue();
    events.publishEvent(new DepthChanged(account, queue, promoted.tenant(), 0, promoted.jobs()));
    events.publishEvent(new JobsReady(Set.of(queue), promoted.suspects()));
  }

  @PreDestroy
  void close() {
    looks.close();
  }
}
