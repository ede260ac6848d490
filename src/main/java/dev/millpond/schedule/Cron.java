package dev.millpond.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.scheduling.support.CronExpression;

/**
 * Due by a cron expression (Spring's {@link CronExpression}: six fields, the first for the seconds)
 * on the wall clock of a time zone.
 *
 * <p>Where the clocks change, Spring leaves out what falls into the gap and repeats what falls into
 * the overlap. Here each time of the wall clock is due once, as RFC 5545 (section 3.3.5) reads it:
 * one in the gap as if the clocks had not been changed yet, 02:30 at 03:30; one that comes twice,
 * the first time. But an expression for every hour goes on hour by hour, whatever the clocks say.
 * Two times that come to the same moment are one due time.
 */
public final class Cron implements DueTimes {

  private static final String SIXTY = "[0-5]?[0-9]";
  private static final String HOUR = "([01]?[0-9]|2[0-3])";
  private static final String DAY = "(0?[1-9]|[12][0-9]|3[01])";
  private static final String MONTH =
      "(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)";
  private static final String WEEKDAY = "([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)";

  /** What an expression looks like: six fields, or one of the names for the usual ones. */
  public static final String PATTERN =
      "^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|%s %s %s %s %s %s)$"
          .formatted(
              list(plain(SIXTY)),
              list(plain(SIXTY)),
              list(plain(HOUR)),
              list("\\?|L(-([1-9]|[12][0-9]|30))?|LW|" + DAY + "W|" + plain(DAY)),
              list(plain(MONTH)),
              list("\\?|" + WEEKDAY + "(L|#[1-5])|" + plain(WEEKDAY)));

  /** How many characters an expression has at most. */
  public static final int LONGEST = 255;

  // Matched in whole; the pattern's own anchors are for those who read the OpenAPI document.
  private static final Pattern FORM = Pattern.compile(PATTERN);
  private static final Pattern EVERY_HOUR = Pattern.compile("\\*(/1)?|0-23(/1)?|0/1");

  /** More changes of the clocks than there are in the years between two leap days. */
  private static final int MAX_CHANGES = 200;

  /** No two offsets of a zone are further apart. */
  private static final Duration OFFSETS_APART = Duration.ofDays(2);

  private final String expression;
  private final ZoneId zone;
  private final CronExpression fields;
  private final boolean everyHour;

  /**
   * @throws IllegalArgumentException if the expression cannot be read; the message says why
   */
  public Cron(String expression, ZoneId zone) {
    if (expression.length() > LONGEST || !FORM.matcher(expression).matches()) {
      throw new IllegalArgumentException("it is none");
    }
    this.expression = expression;
    this.zone = zone;
    this.fields = CronExpression.parse(expression);
    this.everyHour = EVERY_HOUR.matcher(fields.toString().split(" ", -1)[2]).matches();
  }

  private static String plain(String value) {
    return "(\\*|%1$s(-%1$s)?)(/[1-9][0-9]?)?".formatted(value);
  }

  private static String list(String one) {
    return "(%1$s)(,(%1$s))*".formatted(one);
  }

  /** As it was given. */
  public String expression() {
    return expression;
  }

  /** Whose wall clock it goes by. */
  public ZoneId zone() {
    return zone;
  }

  @Override
  public Optional<Instant> after(Instant moment) {
    ZoneRules rules = zone.getRules();
    Instant from = moment.plusNanos(1);
    for (int i = 0; i < MAX_CHANGES; i++) {
      Instant due = atOrAfter(from, rules);
      if (due == null) {
        return Optional.empty();
      }
      ZoneOffsetTransition change = rules.nextTransition(from);
      if (change == null || due.isBefore(change.getInstant())) {
        return Optional.of(due);
      }
      // By another offset from there on. Much later is no need to look at each change.
      Instant near = due.minus(OFFSETS_APART);
      from = near.isAfter(change.getInstant()) ? near : change.getInstant();
    }
    return Optional.empty();
  }

  /** The first due time from a moment on, as long as the clocks are not changed again. */
  private @Nullable Instant atOrAfter(Instant from, ZoneRules rules) {
    ZoneOffset offset = rules.getOffset(from);
    LocalDateTime local = LocalDateTime.ofInstant(from, offset);
    ZoneOffsetTransition last = rules.previousTransition(from.plusNanos(1));
    if (last == null || everyHour) {
      return moment(local, offset);
    }
    if (last.isOverlap()) {
      // What the clocks have shown before was due then.
      LocalDateTime shown = last.getDateTimeBefore();
      return moment(local.isBefore(shown) ? shown : local, offset);
    }
    Instant due = moment(local, offset);
    Instant leftOut = leftOut(from, last);
    return leftOut != null && (due == null || leftOut.isBefore(due)) ? leftOut : due;
  }

  /** The first of the times that the clocks have left out and that is not over, if there is one. */
  private @Nullable Instant leftOut(Instant from, ZoneOffsetTransition gap) {
    LocalDateTime unchanged = LocalDateTime.ofInstant(from, gap.getOffsetBefore());
    LocalDateTime due = unchanged.isBefore(gap.getDateTimeAfter()) ? local(unchanged) : null;
    return due == null || !due.isBefore(gap.getDateTimeAfter())
        ? null
        : due.toInstant(gap.getOffsetBefore());
  }

  private @Nullable Instant moment(LocalDateTime from, ZoneOffset offset) {
    LocalDateTime due = local(from);
    return due == null ? null : due.toInstant(offset);
  }

  private @Nullable LocalDateTime local(LocalDateTime from) {
    return fields.next(from.minusNanos(1));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Cron cron
        && cron.expression.equals(expression)
        && cron.zone.equals(zone);
  }

  @Override
  public int hashCode() {
    return 31 * expression.hashCode() + zone.hashCode();
  }

  @Override
  public String toString() {
    return expression + " " + zone;
  }
}
