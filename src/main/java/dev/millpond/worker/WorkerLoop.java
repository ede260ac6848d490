package dev.millpond.worker;

import dev.millpond.handler.Handlers;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import dev.millpond.lease.Poll;
import dev.millpond.queue.Pulse;
import dev.millpond.queue.QueueName;
import dev.millpond.worker.Wakeup.Hints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * Claims jobs for the free slots of this node. One turn after another on Spring's scheduler, never
 * two at once; it owns its state, and holds no transaction while jobs run.
 */
@Component
class WorkerLoop {

  /** How many jobs one claim takes at most: beyond it a larger batch was no faster. */
  private static final int MAX_CLAIM = 500;

  /** How often a stopped loop looks whether it may go on; a stop waits for its turn to end. */
  private static final Duration STOPPED_PAUSE = Duration.ofMillis(100);

  /** A claim waits for a connection by itself; so jobs start soon after the database is back. */
  private static final Duration AFTER_FAILURE = Duration.ofMillis(250);

  /** Of a claim for more slots: longer than a commit takes, and no loss if that hangs. */
  private static final Duration LONGEST_WAIT = Duration.ofMillis(5);

  private static final Logger log = LoggerFactory.getLogger(WorkerLoop.class);

  private final Leases leases;
  private final Pulse pulse;
  private final Slots slots;
  private final Wakeup wakeup;
  private final Runs runs;
  private final Set<String> handled;
  private final Duration pollInterval;

  /**
   * Queues that may have jobs ready, the one whose turn is next first. Used by the turn alone, as
   * all below.
   */
  private final LinkedHashSet<QueueName> backlog = new LinkedHashSet<>();

  private final Set<QueueName> suspects = new LinkedHashSet<>();
  private long nextPoll = System.nanoTime();

  /** Whether somebody told of a job that no poll has met: the pulse may not know of it yet. */
  private boolean told;

  private Duration pause = Duration.ZERO;

  /** When it began to wait for more slots ({@code nanoTime}); null while it does not. */
  private @Nullable Long waitingSince;

  /** Set by {@link #stop}; guarded by this. */
  private boolean stopped;

  WorkerLoop(
      Leases leases,
      Pulse pulse,
      Slots slots,
      Wakeup wakeup,
      Runs runs,
      Handlers handlers,
      WorkerProperties properties) {
    this.leases = leases;
    this.pulse = pulse;
    this.slots = slots;
    this.wakeup = wakeup;
    this.runs = runs;
    this.handled = handlers.types();
    this.pollInterval = properties.poll();
  }

  /** Waits until there may be work, and claims it. */
  @Scheduled(fixedDelay = 1, timeUnit = TimeUnit.MICROSECONDS)
  void turn() {
    try {
      pause = work(wakeup.await(pause));
    } catch (InterruptedException end) {
      // The scheduler stops: there is no other turn.
      Thread.currentThread().interrupt();
    } catch (DataAccessException | TransactionException away) {
      log.warn("Cannot claim jobs: {}", away.getMessage());
      pause = AFTER_FAILURE;
    }
  }

  private synchronized Duration work(Hints hints) {
    if (stopped) {
      return STOPPED_PAUSE;
    }
    backlog.addAll(hints.queues());
    if (hints.suspects()) {
      suspects.addAll(hints.queues());
    }
    if (hints.dueAt() != null) {
      told = true;
      nextPoll = hints.dueAt() - nextPoll < 0 ? hints.dueAt() : nextPoll;
    }
    if (System.nanoTime() - nextPoll >= 0) {
      if (told || pulse.mayWait()) {
        poll();
      } else {
        nextPoll = System.nanoTime() + pollInterval.toNanos();
      }
    }
    if (isWorthWaiting()) {
      return LONGEST_WAIT;
    }
    boolean more = claim();
    return more ? Duration.ZERO : Duration.ofNanos(Math.max(0, nextPoll - System.nanoTime()));
  }

  /**
   * Whether more slots are about to be free than are. A claim that waits for them takes as many
   * more jobs at nearly the same cost, and whoever settles next finds as many more to settle with:
   * without it 64 slots were claimed by 20.
   */
  private boolean isWorthWaiting() {
    int free = slots.free();
    boolean worth = !backlog.isEmpty() && free > 0 && free < slots.settling();
    long now = System.nanoTime();
    long since = waitingSince == null ? now : waitingSince;
    boolean waits = worth && now - since < LONGEST_WAIT.toNanos();
    waitingSince = waits ? Long.valueOf(since) : null;
    return waits;
  }

  private void poll() {
    Poll poll = leases.poll();
    told = false;
    backlog.addAll(poll.queues());
    suspects.addAll(poll.suspects());
    Duration next = pollInterval;
    if (poll.nextDue() != null && poll.nextDue().compareTo(next) < 0) {
      next = poll.nextDue().plusMillis(1);
    }
    nextPoll = System.nanoTime() + next.toNanos();
  }

  /** One round over the queues with work; true if another one would find more. */
  private boolean claim() {
    claimSuspect();
    List<QueueName> round = new ArrayList<>(backlog);
    for (QueueName queue : round) {
      int share = Math.min(MAX_CLAIM, slots.share(queue, backlog.size()));
      if (share > 0) {
        List<Lease> claimed = leases.claim(queue, share, false, handled);
        claimed.forEach(runs::start);
        // To the end of the line, or out of it if there was less than it could have taken.
        backlog.remove(queue);
        if (claimed.size() == share) {
          backlog.add(queue);
        }
      }
    }
    return !backlog.isEmpty() && slots.free() > 0;
  }

  private void claimSuspect() {
    if (!suspects.isEmpty() && slots.free() > 0 && !slots.hasSuspect()) {
      QueueName queue = suspects.iterator().next();
      List<Lease> claimed = leases.claim(queue, 1, true, handled);
      claimed.forEach(runs::start);
      if (claimed.isEmpty()) {
        suspects.remove(queue);
      }
    }
  }

  /** Lets the claim at hand end; none starts after this, until {@link #resume}. */
  synchronized void stop() {
    stopped = true;
  }

  /** Claims again after a stop. */
  synchronized void resume() {
    stopped = false;
  }
}
