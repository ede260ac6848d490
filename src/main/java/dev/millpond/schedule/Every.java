package dev.millpond.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Due again and again after the same time, counted from an anchor and not from the last firing: it
 * does not drift.
 *
 * @param period PT1S to P365D
 * @param anchor when it began; the first due time is a period later
 */
public record Every(Duration period, Instant anchor) implements DueTimes {

  /** The shortest period. */
  public static final Duration LEAST = Duration.ofSeconds(1);

  /** The longest period. */
  public static final Duration MOST = Duration.ofDays(365);

  @Override
  public Optional<Instant> after(Instant moment) {
    long passed = moment.isBefore(anchor) ? 0 : Duration.between(anchor, moment).dividedBy(period);
    return Optional.of(anchor.plus(period.multipliedBy(passed + 1)));
  }
}
