package dev.millpond.worker;

import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Cuts the worker loop's wait short, and says why. Hints are hints: the loop polls as well, and is
 * correct without them.
 */
@Component
class Wakeup {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition signalled = lock.newCondition();

  /** All guarded by the lock. */
  private Set<QueueName> queues = new HashSet<>();

  private boolean suspects;
  private @Nullable Long dueAt;
  private boolean signal;

  /**
   * What the loop was woken for.
   *
   * @param dueAt when the first of the jobs that were told of may start ({@code nanoTime}); null
   *     for none
   */
  record Hints(Set<QueueName> queues, boolean suspects, @Nullable Long dueAt) {}

  @EventListener
  void on(JobsReady ready) {
    lock.lock();
    try {
      queues.addAll(ready.queues());
      suspects |= ready.suspects();
      signal();
    } finally {
      lock.unlock();
    }
  }

  @EventListener
  void on(JobsDelayed delayed) {
    lock.lock();
    try {
      long due = System.nanoTime() + delayed.delay().toNanos();
      dueAt = dueAt == null || due - dueAt < 0 ? Long.valueOf(due) : dueAt;
      signal();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the wait without a hint: a slot is free, or the loop is to stop. */
  void wake() {
    lock.lock();
    try {
      signal();
    } finally {
      lock.unlock();
    }
  }

  private void signal() {
    signal = true;
    signalled.signal();
  }

  /** Waits for a signal, for the given time at most, and takes the hints that came meanwhile. */
  Hints await(Duration atMost) throws InterruptedException {
    lock.lock();
    try {
      long left = atMost.toNanos();
      while (!signal && left > 0) {
        left = signalled.awaitNanos(left);
      }
      Hints hints = new Hints(queues, suspects, dueAt);
      queues = new HashSet<>();
      suspects = false;
      dueAt = null;
      signal = false;
      return hints;
    } finally {
      lock.unlock();
    }
  }
}
