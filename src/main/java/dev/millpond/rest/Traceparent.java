package dev.millpond.rest;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The W3C trace context that a request belongs to. */
public final class Traceparent {

  /** The header's name. */
  public static final String HEADER = "traceparent";

  private static final Pattern VALID =
      Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");

  private Traceparent() {}

  /**
   * The header's value; null if there is none or a broken one, which the specification wants to be
   * ignored.
   */
  public static @Nullable String parse(@Nullable String header) {
    return header != null && VALID.matcher(header).matches() ? header : null;
  }
}
