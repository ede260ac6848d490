package dev.millpond.rest;

import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * How long clients should stay away while the database is: spread over 2 to 10 s at first, twice as
 * long each time the outage outlasts that, up to 60 s. The spread keeps them from coming back
 * together.
 *
 * <p>Nobody reports the end of an outage. It is taken to be over when nothing failed for twice the
 * longest wait in force, because by then those who were sent away have come back and got through.
 */
final class Outage {

  private static final Duration LOW = Duration.ofSeconds(2);
  private static final Duration HIGH = Duration.ofSeconds(10);
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private final LongSupplier nanoTime;
  private final RandomGenerator random;

  // Written under the lock by whichever request fails.
  private boolean known;
  private long since;
  private long last;

  Outage(LongSupplier nanoTime, RandomGenerator random) {
    this.nanoTime = nanoTime;
    this.random = random;
  }

  /** Notes a failure and says how many seconds its client should wait. */
  synchronized long failed() {
    long now = nanoTime.getAsLong();
    if (!known || now - last > 2 * highAfter(last - since)) {
      known = true;
      since = now;
    }
    last = now;
    return spread(highAfter(now - since));
  }

  /** The longest wait, in nanoseconds, once the outage has lasted so long. */
  private static long highAfter(long lasted) {
    long high = HIGH.toNanos();
    for (long begin = high; lasted >= begin && high < LONGEST.toNanos(); begin += high) {
      high *= 2;
    }
    return Math.min(high, LONGEST.toNanos());
  }

  private long spread(long high) {
    long highest = high / Duration.ofSeconds(1).toNanos();
    long lowest = highest * LOW.toSeconds() / HIGH.toSeconds();
    return random.nextLong(lowest, highest + 1);
  }
}
