package dev.millpond.admission;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * When those who were sent away should come back. Each is booked the next turn in a line that moves
 * at the drain rate, so that they return as room appears and not as a herd. Who comes when a turn
 * is due is taken to be the one it was booked for: clients need no name. Not thread-safe. Times are
 * {@code nanoTime} values, passed in.
 */
final class WaitingLine {

  private static final double NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * Turns booked for each job that starts, at first. Some clients never come back, and a turn that
   * nobody uses leaves a worker idle, while a client too many only asks once more: at this factor
   * every fifth may stay away.
   */
  private static final double OVERBOOKING = 1.25;

  /** Down to this it follows what comes of the turns. */
  private static final double LEAST_BOOKING = 0.95;

  /**
   * While new clients come all the time, some of them may have the room: so many of those who get
   * in, and no turn is booked in vain, which spares clients that have waited for their turn another
   * wait.
   */
  private static final double NEW = 0.05;

  /** By how much more somebody who comes in vain counts than somebody who needed no turn. */
  private static final double IN_VAIN = 2;

  /** The booking changes over the length of the line, and no line is shorter. */
  private static final double SHORTEST = 100;

  /** The longest answer while nothing drains; the shortest is a third of it. */
  private static final Duration STUCK = Duration.ofSeconds(90);

  /** The longest answer when nothing is known of the rate: a better one can be given soon. */
  private static final Duration UNKNOWN = Duration.ofSeconds(3);

  private final Duration longest;
  private final Bookings bookings = new Bookings();

  /** Turns booked for each job that starts. */
  private double booking = OVERBOOKING;

  /** When the last client was told to come. */
  private long end;

  private double turnsPerSecond;

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
   * Whether clients are waited for, and this one was not told to come, or not yet.
   *
   * @param client what it is known by when it comes back; null if by nothing
   */
  boolean isEarly(@Nullable String client, long now) {
    bookings.forgetLate(now);
    return !bookings.isEmpty() && !bookings.isDue(client, now);
  }

  /** Whether nobody is waited for but this client. */
  boolean isFor(@Nullable String client, long now) {
    bookings.forgetLate(now);
    return bookings.isOnlyOf(client);
  }

  /** A client got in. */
  void entered(@Nullable String client, long now) {
    bookings.forgetLate(now);
    if (!bookings.isEmpty()) {
      adjust(bookings.use(client, now) ? -NEW : 1 - NEW, now);
    }
  }

  /** A client found no room. */
  void foundNoRoom(@Nullable String client, long now) {
    bookings.forgetLate(now);
    if (bookings.use(client, now)) {
      adjust(-IN_VAIN, now);
    }
  }

  private void adjust(double by, long now) {
    double ahead = turnsPerSecond * (end - now) / NANOS;
    booking = Math.clamp(booking + by / Math.max(SHORTEST, ahead), LEAST_BOOKING, OVERBOOKING);
  }

  /**
   * Books a turn; whoever has one still to come is told of it once more.
   *
   * @param client as in {@link #isEarly}
   * @param rate jobs a second for the clients of this line, of several nodes' lines its part; 0 if
   *     nothing drains, empty if it is not known, which is soon taken to mean the same
   * @param horizon how far ahead the rate can be relied on
   * @param random uniform in [0, 1), to spread the answers that are not booked
   */
  Duration book(
      @Nullable String client, OptionalDouble rate, Duration horizon, long now, double random) {
    if (rate.isEmpty()) {
      unknownSince = unknown ? unknownSince : now;
      unknown = true;
      Duration soFar = Duration.ofNanos(now - unknownSince);
      return unbooked(shorter(STUCK, longer(UNKNOWN, soFar)), random);
    }
    unknown = false;
    if (rate.getAsDouble() <= 0) {
      return unbooked(STUCK, random);
    }
    OptionalLong booked = bookings.of(client);
    if (booked.isPresent() && booked.getAsLong() - now > 0) {
      return Duration.ofNanos(booked.getAsLong() - now);
    }
    bookings.forgetLate(now);
    turnsPerSecond = rate.getAsDouble() * booking;
    double wait = (bookings.isEmpty() ? 0 : Math.max(0, end - now)) + NANOS / turnsPerSecond;
    Duration furthest = shorter(longest, longer(UNKNOWN, horizon));
    if (wait > furthest.toNanos()) {
      return spread(furthest.dividedBy(2), furthest, random);
    }
    end = now + Math.round(wait);
    // Anywhere within it: clients of nodes whose turns come in step must not be refused in step.
    long turn = end - Math.round(NANOS / turnsPerSecond * random);
    bookings.add(client, turn);
    return Duration.ofNanos(turn - now);
  }

  private Duration unbooked(Duration most, double random) {
    Duration told = shorter(most, longest);
    return spread(told.dividedBy(3), told, random);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? other : one;
  }

  private static Duration spread(Duration least, Duration most, double random) {
    return least.plusNanos((long) (most.minus(least).toNanos() * random));
  }
}
