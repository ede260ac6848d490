package dev.millpond.admission;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What this node knows of the jobs that wait in a queue, and how many more it may admit: its
 * permits. A permit is used up by a submit and won by a claim; what this node does not hold is in
 * the pool that the nodes share, or held by another one. The arithmetic of it, without a database
 * or a clock: times are {@code nanoTime} values, passed in.
 */
final class Room {

  /** Of the cap: what an idle node may keep for its next clients, all idle nodes together. */
  private static final int IDLE_PART = 100;

  /** Held by whoever balances, over its statements. */
  private final ReentrantLock balancing = new ReentrantLock();

  /** All guarded by this. Negative while more came back than this node had permits for. */
  private int held;

  /**
   * What claims have freed while more waited than the cap allows; nobody's until the next balance.
   */
  private int freed;

  /**
   * What the last balance left in the pool; negative by how much more waited than the cap allows.
   */
  private long pool;

  /** Planned to be taken, and held once that is committed. */
  private int coming;

  /**
   * Through this node's books, those included that are about to be written; negative where this
   * node claims what others have admitted.
   */
  private long waiting;

  private long runnable;
  private long waitingElsewhere;
  private long runnableElsewhere;

  private int cap = -1;
  private int balances;
  private long balancedAt;

  /** Whether anything moved since the last balance, and whether that one found it idle. */
  private boolean changed;

  private boolean settled = true;

  /**
   * The books of a queue as the database has them at one moment.
   *
   * @param free the part of the cap that neither waiting jobs nor permits take; negative if too
   *     much came back
   * @param waitingElsewhere jobs that wait through the books of others
   * @param runnableElsewhere those of them that wait for nothing but a slot
   * @param own the permits of this node as the database has them: more than this node knows to hold
   *     by what is about to be written, and by claims that it has not heard of yet
   * @param nodes how many share the pool, this one included
   */
  record Sums(long free, long waitingElsewhere, long runnableElsewhere, long own, int nodes) {}

  /** Takes permits for jobs; false if this node does not hold so many under this cap. */
  synchronized boolean take(int jobs, int runnableJobs, int underCap) {
    if (held < jobs || cap != underCap) {
      return false;
    }
    change(jobs, runnableJobs);
    return true;
  }

  /** Jobs came or went through this node's books. */
  synchronized void change(int jobs, int runnableJobs) {
    if (pool < 0 && jobs < 0) {
      freed -= jobs;
    } else {
      held -= jobs;
    }
    waiting += jobs;
    runnable += runnableJobs;
    changed = true;
  }

  /** Whether so many jobs cannot be admitted, as far as is known without asking the database. */
  synchronized boolean isFull(int jobs, int underCap) {
    return cap == underCap ? held + freed + pool < jobs : depth() + jobs > underCap;
  }

  /**
   * How many permits to take from the pool, or, negative, to give to it. The nodes keep about half
   * of what is free, in even parts, so that each finds the other half there when it needs more; an
   * idle one keeps next to nothing. What is given is no longer held when this returns; what is
   * taken is held when {@link #granted} says that it is committed.
   *
   * @param wanted how many permits somebody waits for
   */
  synchronized int plan(Sums sums, int underCap, int wanted) {
    boolean busy = changed || wanted > 0;
    changed = false;
    settled = !busy;
    elsewhere(sums.waitingElsewhere(), sums.runnableElsewhere());
    held += freed;
    freed = 0;
    // A debt is paid by the jobs that came back, when they leave: it takes no room of its own.
    int forgiven = Math.max(0, -held);
    held += forgiven;
    long free = sums.free() - (Math.max(0, sums.own() + forgiven) - Math.max(0, sums.own()));
    long take = 0;
    if (free < 0) {
      take = -Math.min(-free, held);
    } else {
      long fair = Math.ceilDiv(free + held, sums.nodes() + 1L);
      long idle = Math.max(1, underCap / IDLE_PART / sums.nodes());
      long target = busy ? fair : Math.min(fair, idle);
      if (held < Math.max(wanted, Math.ceilDiv(target, 2L))) {
        take = Math.min(free, Math.max(target, wanted) - held);
      } else if (held > 2 * target) {
        take = target - held;
      }
    }
    pool = free - take;
    held += (int) Math.min(0, take);
    coming = (int) Math.max(0, take);
    return (int) take + forgiven;
  }

  /** The plan is committed. */
  synchronized void granted(int underCap, long now) {
    held += coming;
    coming = 0;
    cap = underCap;
    balances++;
    balancedAt = now;
  }

  /** What the others' books say, when nothing is to be taken or given. */
  synchronized void elsewhere(long waitingThere, long runnableThere) {
    waitingElsewhere = waitingThere;
    runnableElsewhere = runnableThere;
  }

  /** Rises with each balance. */
  synchronized int balances() {
    return balances;
  }

  /** Makes the next balance due. */
  synchronized void touch() {
    settled = false;
  }

  /**
   * Whether a balance makes sense, the last one being longer ago than the given time: something
   * moved, or the cap changed, or there is no room here and other nodes may have made some.
   */
  synchronized boolean isDue(Duration every, int underCap, boolean shared, long now) {
    return isOlderThan(every, now)
        && (changed
            || !settled
            || (balances > 0 && cap != underCap)
            || (shared && isFull(1, underCap)));
  }

  /** Whether the last balance is longer ago than the given time. */
  synchronized boolean isOlderThan(Duration age, long now) {
    return now - balancedAt > age.toNanos();
  }

  /** How many jobs wait. */
  synchronized int depth() {
    return (int) Math.clamp(waiting + waitingElsewhere, 0L, Integer.MAX_VALUE);
  }

  /** How many of them wait for nothing but a slot. */
  synchronized int runnable() {
    return (int) Math.clamp(runnable + runnableElsewhere, 0L, Integer.MAX_VALUE);
  }

  ReentrantLock balancing() {
    return balancing;
  }
}
