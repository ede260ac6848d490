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

  /** The range of answers while nothing drains, if none of them is longer than the longest. */
  private static final Duration STUCK_LEAST = Duration.ofSeconds(30);

  private static final Duration STUCK_MOST = Duration.ofSeconds(90);

  private final Duration longest;
  private boolean open;
  private long nextTurn;

  /**
   * @param longest beyond it no turn is booked, because turns so far away are not kept
   */
  WaitingLine(Duration longest) {
    this.longest = longest;
  }

  /**
   * Books a turn.
   *
   * @param rate turns a second; empty or 0 if nothing drains
   * @param random uniform in [0, 1), to spread the answers that are not booked
   */
  Duration book(OptionalDouble rate, long now, double random) {
    if (rate.isEmpty() || rate.getAsDouble() <= 0) {
      return longest.compareTo(STUCK_MOST) < 0
          ? spread(longest.dividedBy(2), longest, random)
          : spread(STUCK_LEAST, STUCK_MOST, random);
    }
    long step = (long) (NANOS / rate.getAsDouble());
    long turn = (open && nextTurn - now > 0 ? nextTurn : now) + step;
    Duration wait = Duration.ofNanos(turn - now);
    if (wait.compareTo(longest) > 0) {
      return spread(longest.dividedBy(2), longest, random);
    }
    open = true;
    nextTurn = turn;
    return wait;
  }

  private static Duration spread(Duration least, Duration most, double random) {
    return least.plusNanos((long) (most.minus(least).toNanos() * random));
  }
}
