package dev.millpond.admission;

import java.time.Duration;
import java.util.OptionalDouble;

/**
 * When those who were sent away should come back. Each is booked the next turn in a line that moves
 * at the drain rate, so that they return as room appears and not as a herd. Not thread-safe. Times
 * are {@code nanoTime} values, passed in.
 */
final class WaitingLine {

  private static final double NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * Turns booked for each job that starts. Some clients never come back, and a turn that nobody
   * uses leaves a worker idle, while a client too many only asks once more: at this factor every
   * fifth may stay away.
   */
  private static final double OVERBOOKING = 1.25;

  /** The range of answers while nothing drains, if none of them is longer than the longest. */
  private static final Duration STUCK_LEAST = Duration.ofSeconds(30);

  private static final Duration STUCK_MOST = Duration.ofSeconds(90);

  private final Duration longest;

  /** How many clients' turns are still to come. */
  private double ahead;

  /** When the last of them was told to come. */
  private long end;

  private double turnsPerSecond;
  private long last;

  /**
   * @param longest beyond it no turn is booked: the answers would have to be cut to it, and a turn
   *     whose client is told an earlier time is never used
   */
  WaitingLine(Duration longest) {
    this.longest = longest;
  }

  /**
   * Books a turn.
   *
   * @param rate jobs a second for the clients of this line, of several nodes' lines its part; empty
   *     or 0 if nothing drains
   * @param random uniform in [0, 1), to spread the answers that are not booked
   */
  Duration book(OptionalDouble rate, long now, double random) {
    ahead = Math.max(0, ahead - turnsPerSecond * (now - last) / NANOS);
    last = now;
    if (rate.isEmpty() || rate.getAsDouble() <= 0) {
      return longest.compareTo(STUCK_MOST) < 0
          ? spread(longest.dividedBy(2), longest, random)
          : spread(STUCK_LEAST, STUCK_MOST, random);
    }
    turnsPerSecond = rate.getAsDouble() * OVERBOOKING;
    // Behind the last one, without a gap. When the rate has risen, those before it were told times
    // that are too late, and there is room between them.
    double behind = Math.max(0, end - now) + NANOS / turnsPerSecond;
    double wait = Math.min(behind, (ahead + 1) / turnsPerSecond * NANOS);
    if (wait > longest.toNanos()) {
      return spread(longest.dividedBy(2), longest, random);
    }
    ahead++;
    end = now + (long) wait;
    return Duration.ofNanos((long) wait);
  }

  private static Duration spread(Duration least, Duration most, double random) {
    return least.plusNanos((long) (most.minus(least).toNanos() * random));
  }
}
