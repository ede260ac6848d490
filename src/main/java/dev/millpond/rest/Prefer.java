package dev.millpond.rest;

import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.Collections;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.http.HttpHeaders;

/**
 * For how long a client would rather wait than ask again: the preference {@code wait} of RFC 7240.
 * Others, and a value that is no number of seconds, are ignored, as the RFC says.
 *
 * @param atMost no more than {@link #LONGEST}
 */
record Prefer(Duration atMost) {

  private static final String HEADER = "Prefer";

  /** Gateways end what is silent for longer. */
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private static final Pattern QUOTED_NUMBER = Pattern.compile("\"(\\d{1,9})\"");
  private static final Pattern QUOTED = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*+\"?");
  private static final Pattern WAIT =
      Pattern.compile("(?i)(?:^|,)\\s*wait\\s*=\\s*(\\d{1,9})\\s*(?=[,;]|$)");

  /** The request's preference, if it has one; the first of several. */
  static Optional<Prefer> of(HttpServletRequest request) {
    return parse(String.join(",", Collections.list(request.getHeaders(HEADER))));
  }

  static Optional<Prefer> parse(String header) {
    String bare = QUOTED_NUMBER.matcher(header).replaceAll("$1");
    Matcher wait = WAIT.matcher(QUOTED.matcher(bare).replaceAll("_"));
    return wait.find()
        ? Optional.of(new Prefer(clamp(Duration.ofSeconds(Long.parseLong(wait.group(1))))))
        : Optional.empty();
  }

  private static Duration clamp(Duration wait) {
    return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
  }

  /** Tells that it was heeded, if there is one. */
  static void tell(Optional<Prefer> prefer, HttpHeaders headers) {
    prefer.ifPresent(
        some -> headers.set("Preference-Applied", "wait=" + some.atMost().toSeconds()));
  }
}
