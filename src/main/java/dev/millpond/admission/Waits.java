package dev.millpond.admission;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** For how long the jobs of one queue that started last had waited. Not thread-safe. */
public final class Waits {

  /** So many tell a 99th percentile, and are small enough for ten thousand queues. */
  private static final int KEPT = 512;

  /** In milliseconds, the oldest at {@code added} once it is full; made when a job starts. */
  private int[] kept = new int[0];

  private long added;

  Waits() {}

  /**
   * Nearest ranks of what is kept: so much of it was not above the value.
   *
   * @param p50 the median
   */
  public record Percentiles(Duration p50, Duration p95, Duration p99) {}

  void add(Duration wait) {
    if (kept.length == 0) {
      kept = new int[KEPT];
    }
    kept[(int) (added % KEPT)] = Math.clamp(wait.toMillis(), 0, Integer.MAX_VALUE);
    added++;
  }

  /** Empty if no job has started. */
  Optional<Percentiles> percentiles() {
    int[] sorted = Arrays.copyOf(kept, (int) Math.min(added, KEPT));
    Arrays.sort(sorted);
    return added == 0
        ? Optional.empty()
        : Optional.of(new Percentiles(rank(sorted, 50), rank(sorted, 95), rank(sorted, 99)));
  }

  private static Duration rank(int[] sorted, int percent) {
    return Duration.ofMillis(sorted[(sorted.length * percent + 99) / 100 - 1]);
  }
}
