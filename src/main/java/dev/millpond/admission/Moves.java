package dev.millpond.admission;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Tells streams that wait for room that there may be some. */
final class Moves {

  /** Guarded by this. */
  private long count;

  /** How often it was told; asked before one looks for room. */
  synchronized long count() {
    return count;
  }

  synchronized void tell() {
    count++;
    notifyAll();
  }

  /**
   * Waits until it is told, or the time is over.
   *
   * @param seen the count before room was looked for in vain
   */
  synchronized void await(long seen, Duration atMost) throws InterruptedException {
    long end = System.nanoTime() + atMost.toNanos();
    for (long left = atMost.toNanos(); count == seen && left > 0; left = end - System.nanoTime()) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }
}
