package dev.millpond.rest;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Durations of ISO 8601 and instants of RFC 3339, read more strictly than {@code java.time} does.
 */
final class Iso {

  // No years and months, which have no fixed length; no sign.
  private static final Pattern DURATION =
      Pattern.compile(
          "P(?=.)(\\d{1,6}D)?(T(?=.)(\\d{1,9}H)?(\\d{1,9}M)?(\\d{1,9}(\\.\\d{1,9})?S)?)?");
  private static final Pattern INSTANT =
      Pattern.compile(
          "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})");

  private Iso() {}

  /** The duration, if the text is one. */
  static Optional<Duration> duration(String text) {
    return DURATION.matcher(text).matches() ? Optional.of(Duration.parse(text)) : Optional.empty();
  }

  /** The instant, if the text is one from 1970 on; RFC 3339 allows small letters. */
  static Optional<Instant> instant(String text) {
    String upper = text.toUpperCase(Locale.ROOT);
    if (!INSTANT.matcher(upper).matches()) {
      return Optional.empty();
    }
    try {
      // Earlier ones mean nothing here, and the database does not know all of them.
      return Optional.of(OffsetDateTime.parse(upper).toInstant())
          .filter(instant -> !instant.isBefore(Instant.EPOCH));
    } catch (DateTimeException _) {
      return Optional.empty();
    }
  }
}
