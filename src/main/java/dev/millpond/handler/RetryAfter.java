package dev.millpond.handler;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.regex.Pattern;

/** The {@code Retry-After} header (RFC 9110, 10.2.3): seconds, or a date. */
final class RetryAfter {

  /** A target cannot put a job off for longer at once. */
  static final Duration LONGEST = Duration.ofDays(1);

  private static final Pattern SECONDS = Pattern.compile("[0-9]+");

  /** More digits than these are longer than the longest wait. */
  private static final int MAX_DIGITS = 9;

  private RetryAfter() {}

  /** The wait from the given time on, from zero to a day; empty if the header is not readable. */
  static Optional<Duration> parse(String header, Instant now) {
    String value = header.strip();
    if (SECONDS.matcher(value).matches()) {
      return Optional.of(
          value.length() > MAX_DIGITS
              ? LONGEST
              : bounded(Duration.ofSeconds(Integer.parseInt(value))));
    }
    return date(value).map(until -> bounded(Duration.between(now, until)));
  }

  private static Duration bounded(Duration wait) {
    if (wait.isNegative()) {
      return Duration.ZERO;
    }
    return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
  }

  /** The instant of an HTTP date; empty if it is not one. */
  static Optional<Instant> date(String value) {
    try {
      return Optional.of(DateTimeFormatter.RFC_1123_DATE_TIME.parse(value.strip(), Instant::from));
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }
}
