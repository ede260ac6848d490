package dev.millpond.admission;

import java.time.Duration;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * How far the estimated waits of one queue were off: what a job would have been told is kept until
 * jobs start that came at that time. Not thread-safe. Times are {@code nanoTime} values, passed in.
 */
final class Estimates {

  /** Estimates kept; with two a second these are ten minutes, and longer waits are not judged. */
  private static final int MOST = 1_200;

  private static final long APART = Duration.ofMillis(500).toNanos();

  /** A shorter wait says nothing: the estimate is not that fine. */
  private static final Duration SHORTEST = Duration.ofMillis(500);

  /** By when it was made. */
  private final NavigableMap<Long, Duration> told = new TreeMap<>();

  /** Takes note of what a job that becomes runnable now would be told. */
  void told(Duration wait, long now) {
    if (told.isEmpty() || now - told.lastKey() >= APART) {
      if (told.size() == MOST) {
        told.pollFirstEntry();
      }
      told.put(now, wait);
    }
  }

  /**
   * By how much of its true wait the estimate was off for a job that starts now; empty if it waited
   * too shortly to tell, or nothing was estimated when it came.
   */
  OptionalDouble error(Duration waited, long now) {
    long came = now - waited.toNanos();
    Map.Entry<Long, Duration> then = told.floorEntry(came + APART / 2);
    if (waited.compareTo(SHORTEST) < 0 || then == null || came - then.getKey() > APART) {
      return OptionalDouble.empty();
    }
    double off = then.getValue().minus(waited).abs().toNanos();
    return OptionalDouble.of(off / waited.toNanos());
  }
}
