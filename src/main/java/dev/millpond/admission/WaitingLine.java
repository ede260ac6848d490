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

  /** The longest answer while nothing drains; the shortest is a third of it. */
  private static final Duration STUCK = Duration.ofSeconds(90);

  /** The longest answer when nothing is known of the rate: a better one can be given soon. */
  private static final Duration UNKNOWN = Duration.ofSeconds(3);

  private final Duration longest;

  /** How many clients' turns are still to come. */
  private double ahead;

  /** When the last of them was told to come. */
  private long end;

  private double turnsPerSecond;
  private long last;

  /** Since when the rate has been asked for in vain. */
  private long unknownSince;

  private boolean unknown;

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
   * @param rate jobs a second for the clients of this line, of several nodes' lines its part; 0 if
   *     nothing drains, empty if it is not known, which is soon taken to mean the same
   * @param random uniform in [0, 1), to spread the answers that are not booked
   */
  Duration book(OptionalDouble rate, long now, double random) {
    ahead = Math.max(0, ahead - turnsPerSecond * (now - last) / NANOS);
    last = now;
    if (rate.isEmpty()) {
      unknownSince = unknown ? unknownSince : now;
      unknown = true;
      Duration soFar = Duration.ofNanos(now - unknownSince);
      return unbooked(shorter(STUCK, soFar.compareTo(UNKNOWN) < 0 ? UNKNOWN : soFar), random);
    }
    unknown = false;
    if (rate.getAsDouble() <= 0) {
      return unbooked(STUCK, random);
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
    end = now + Math.round(wait);
    return Duration.ofNanos(end - now);
  }

  private Duration unbooked(Duration most, double random) {
    Duration told = shorter(most, longest);
    return spread(told.dividedBy(3), told, random);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static Duration spread(Duration least, Duration most, double random) {
    return least.plusNanos((long) (most.minus(least).toNanos() * random));
  }
}
