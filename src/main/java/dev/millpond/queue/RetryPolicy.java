package dev.millpond.queue;

import java.time.Duration;

/**
 * When a failed job tries again: exponential backoff with full jitter ("Exponential Backoff and
 * Jitter", AWS Architecture Blog, 2015), so that jobs which failed together do not come back
 * together.
 *
 * @param maxAttempts 1 to 100 attempts in all, the first included
 * @param initialDelay the longest wait after the first failure
 * @param multiplier 1 or more: how much longer the longest wait gets with each failure
 * @param maxDelay the bound of the longest wait
 */
public record RetryPolicy(
    int maxAttempts, Duration initialDelay, double multiplier, Duration maxDelay) {

  /** 5 attempts; up to 1 s, 2 s, 4 s and 8 s between them. */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(5, Duration.ofSeconds(1), 2.0, Duration.ofMinutes(10));

  /**
   * The wait before the next attempt.
   *
   * @param failures how often the job has failed by now, from 1
   * @param jitter uniformly random in [0, 1)
   */
  public Duration delayAfter(int failures, double jitter) {
    // The power overflows to infinity for late attempts, which the bound brings back.
    double longest =
        Math.min(
            (double) maxDelay.toMillis(),
            initialDelay.toMillis() * Math.pow(multiplier, failures - 1));
    return Duration.ofMillis((long) (longest * jitter));
  }
}
