package dev.millpond.admission;

import java.time.Duration;
import java.util.OptionalDouble;

/**
 * How many jobs of a queue start in a second while others wait: what a queue's length is divided by
 * to tell a time. Exponentially weighted over the time in which jobs waited; idle time neither
 * counts nor fades what was learnt. Not thread-safe. Times are {@code nanoTime} values, passed in.
 */
final class DrainRate {

  /** After this much busy time an old rate counts for a third. */
  private static final double MEMORY_SECONDS = 5;

  /** A rate from less busy time than this is a guess. */
  private static final double KNOWN_AFTER_SECONDS = 0.25;

  private double starts;
  private double seconds;
  private long last;
  private boolean busy;

  /**
   * Takes note of jobs that started.
   *
   * @param more whether others were left waiting: then the time until the next start counts
   */
  void started(int count, boolean more, long now) {
    if (busy) {
      double elapsed = (now - last) / (double) Duration.ofSeconds(1).toNanos();
      double fade = Math.exp(-elapsed / MEMORY_SECONDS);
      starts = starts * fade + count;
      seconds = seconds * fade + elapsed;
    }
    last = now;
    busy = more;
  }

  /** Starts a second; empty until jobs have waited long enough to tell. */
  OptionalDouble perSecond() {
    return seconds < KNOWN_AFTER_SECONDS
        ? OptionalDouble.empty()
        : OptionalDouble.of(starts / seconds);
  }
}
