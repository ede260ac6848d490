package dev.millpond.lease;

import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Claims of pull workers that wait until there is work. They hold no connection to the database
 * meanwhile. A hint calls one of them, which calls the next if it may have left something: were all
 * called at once, most would find nothing.
 */
@Component
public class Claims {

  /** Each is a connection, of which the service has 10,000 for everybody. */
  private static final int MOST = 2_000;

  private final Leases leases;
  private final AtomicInteger waiting = new AtomicInteger();
  private final Map<QueueName, Line> lines = new ConcurrentHashMap<>();

  /** Set once, when the service stops. */
  private volatile boolean stopping;

  Claims(Leases leases, MeterRegistry meters) {
    this.leases = leases;
    Gauge.builder("millpond.claims.waiting", waiting, AtomicInteger::get)
        .description("Claims of pull workers that wait for work")
        .register(meters);
  }

  /** One claim that waits. */
  private static final class Waiter {

    /** Has a permit when there is a reason to look. */
    final Semaphore called = new Semaphore(0);

    /** The last hint that it has heard. Guarded by the line. */
    long heard;
  }

  /** Those who wait for one queue. All guarded by this. */
  private static final class Line {

    /** The newest first: of all of them it is the least likely that its client has gone. */
    private final Deque<Waiter> waiters = new ArrayDeque<>();

    private long hints;

    /** Whether a worker died under some of what was hinted at, which not every worker may claim. */
    private boolean suspects;

    synchronized void hint(boolean withSuspects) {
      hints++;
      suspects |= withSuspects;
      callNext();
    }

    /** A poll has seen all there is. */
    synchronized void polled(boolean withSuspects) {
      suspects = withSuspects;
      hint(withSuspects);
    }

    /** Calls the newest that has not heard of the last hint. */
    synchronized void callNext() {
      Optional<Waiter> next = waiters.stream().filter(waiter -> waiter.heard < hints).findFirst();
      next.ifPresent(
          waiter -> {
            waiter.heard = hints;
            waiter.called.release();
          });
    }

    synchronized void enter(Waiter waiter) {
      waiters.addFirst(waiter);
      waiter.heard = hints;
    }

    /** Before it looks: what is hinted at from now on it will be called for. */
    synchronized void listen(Waiter waiter) {
      waiter.called.drainPermits();
      waiter.heard = hints;
    }

    /** What it was called for and has not looked at is for the next one. */
    synchronized boolean leave(Waiter waiter) {
      waiters.remove(waiter);
      if (waiter.called.tryAcquire()) {
        callNext();
      }
      return waiters.isEmpty();
    }

    synchronized boolean hasSuspects() {
      return suspects;
    }

    synchronized void callAll() {
      waiters.forEach(waiter -> waiter.called.release());
    }
  }

  /** Whether one more may wait; false when the service stops. */
  public boolean takesMore() {
    return !stopping && waiting.get() < MOST;
  }

  /**
   * Claims as soon as there is work; claims nothing when the time is over or the service stops.
   *
   * @return the jobs, as {@link Leases#claim(Claim)} gives them
   */
  public List<Lease> await(Claim claim, Duration atMost) throws InterruptedException {
    long end = System.nanoTime() + atMost.toNanos();
    Waiter waiter = new Waiter();
    Line line =
        lines.compute(
            claim.queue(),
            (queue, known) -> {
              Line its = known == null ? new Line() : known;
              its.enter(waiter);
              return its;
            });
    waiting.incrementAndGet();
    try {
      while (true) {
        line.listen(waiter);
        List<Lease> leased = claim(claim, line);
        if (mayHaveLeftSome(claim, leased, line)) {
          line.callNext();
        }
        long left = end - System.nanoTime();
        if (!leased.isEmpty() || stopping || left <= 0) {
          return leased;
        }
        boolean _ = waiter.called.tryAcquire(left, TimeUnit.NANOSECONDS);
        if (stopping) {
          // All at once: the database would be a crowd.
          return leased;
        }
      }
    } finally {
      waiting.decrementAndGet();
      lines.computeIfPresent(claim.queue(), (queue, its) -> its.leave(waiter) ? null : its);
    }
  }

  private List<Lease> claim(Claim claim, Line line) {
    try {
      return leases.claim(claim);
    } catch (RuntimeException failed) {
      // What it was called for is still there.
      line.callNext();
      throw failed;
    }
  }

  private static boolean mayHaveLeftSome(Claim claim, List<Lease> leased, Line line) {
    return leased.size() == claim.max() || !claim.types().isEmpty() || line.hasSuspects();
  }

  @EventListener
  void on(JobsReady ready) {
    ready.queues().forEach(queue -> line(queue).ifPresent(line -> line.hint(ready.suspects())));
  }

  /** What no hint told of. */
  @EventListener
  void on(Poll poll) {
    poll.queues()
        .forEach(
            queue -> line(queue).ifPresent(line -> line.polled(poll.suspects().contains(queue))));
  }

  private Optional<Line> line(QueueName queue) {
    return Optional.ofNullable(lines.get(queue));
  }

  /** Before all else stops, all are answered. */
  @EventListener(ContextClosedEvent.class)
  void stop() {
    stopping = true;
    lines.values().forEach(Line::callAll);
  }
}
