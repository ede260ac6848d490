package dev.millpond.admission;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What this node knows of the jobs that wait in one queue: how many, how quickly they leave, who
 * wants to join them.
 */
final class Flow {

  private final DrainRate rate = new DrainRate();
  private final WaitingLine line;

  /** All guarded by this, as the two above. */
  private int depth;

  /** Reserved for submits that are not committed yet; part of the depth. */
  private int pending;

  /**
   * Counts the changes, so that a count in the database can tell whether something moved meanwhile.
   */
  private long changes;

  /** How long the job last started had waited, and when that was. */
  private Duration frontWaited = Duration.ZERO;

  private long frontAt;

  Flow(Duration longestRetryAfter) {
    this.line = new WaitingLine(longestRetryAfter);
  }

  /** Takes room for jobs if the depth stays within the cap. */
  synchronized boolean reserve(int jobs, int cap) {
    if (depth + jobs > cap) {
      return false;
    }
    depth += jobs;
    pending += jobs;
    changes++;
    return true;
  }

  /** The submit that had reserved room is decided. */
  synchronized void decide(int jobs, boolean accepted) {
    pending -= jobs;
    depth -= accepted ? 0 : jobs;
    changes++;
  }

  /** Jobs came back to wait: no admission, and never refused. */
  synchronized void returned(int jobs) {
    depth += jobs;
    changes++;
  }

  /** Jobs left without having started. */
  synchronized void withdrawn(int jobs) {
    depth -= jobs;
    changes++;
  }

  /** Jobs started. */
  synchronized void started(int jobs, boolean more, Duration waited, long now) {
    depth -= jobs;
    changes++;
    rate.started(jobs, more, now);
    frontWaited = waited;
    frontAt = now;
  }

  synchronized int depth() {
    return Math.max(0, depth);
  }

  synchronized OptionalDouble drainRate() {
    return rate.perSecond();
  }

  /** Books the next turn for a client that was sent away. */
  synchronized Duration book(long now) {
    return line.book(rate.perSecond(), now, ThreadLocalRandom.current().nextDouble());
  }

  /**
   * Roughly how many jobs are before one that has waited for the given time: jobs are taken to have
   * come evenly since the one that started last.
   */
  synchronized int ahead(Duration waited, long now) {
    double front = frontWaited.toNanos() + (double) (now - frontAt);
    double share = front <= 0 ? 0 : 1 - Math.min(1, waited.toNanos() / front);
    return (int) Math.round(Math.max(0, depth() - 1) * share);
  }

  /** A moment before a count in the database. */
  record Mark(long changes, int depth, int pending) {}

  synchronized Mark mark() {
    return new Mark(changes, depth, pending);
  }

  /**
   * Takes over a count that other nodes' changes are part of. What this node knows better stays: a
   * count that differs by no more than what moved here meanwhile, or is about to be committed,
   * changes nothing.
   */
  synchronized void counted(int jobs, Mark before) {
    long moved = changes - before.changes() + before.pending() + pending;
    int drift = jobs - before.depth();
    if (moved == 0 || Math.abs(drift) > moved * MOST_PER_CHANGE) {
      depth += drift;
    }
  }

  private static final int MOST_PER_CHANGE = 1_000;
}
