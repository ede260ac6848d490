package dev.millpond.rest;

import dev.millpond.admission.RequestKey;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The key by which a repeated request is known ({@code draft-ietf-httpapi-idempotency-key-header}).
 * {@code abc} and {@code "abc"}, a string of RFC 8941, are the same key.
 *
 * @param value 1 to 255 visible ASCII characters
 */
public record IdempotencyKey(String value) {

  static final String RULE = "a key has 1 to 255 visible ASCII characters and no spaces";

  private static final Pattern QUOTED =
      Pattern.compile("\"(?:[\\x20-\\x7e&&[^\"\\\\]]|\\\\[\"\\\\])*\"");
  private static final Pattern ESCAPE = Pattern.compile("\\\\(.)");
  private static final Pattern KEY =
      Pattern.compile("[\\x21-\\x7e]{1,%d}".formatted(RequestKey.LONGEST));

  /**
   * The request's key, if it has one.
   *
   * @throws ProblemException {@code invalid-idempotency-key}
   */
  public static Optional<IdempotencyKey> of(HttpServletRequest request) {
    List<String> sent = Collections.list(request.getHeaders(RequestKey.HEADER));
    if (sent.size() > 1) {
      throw invalid("the header was sent " + sent.size() + " times");
    }
    return sent.stream().findFirst().map(IdempotencyKey::parse);
  }

  /**
   * Reads the header's value.
   *
   * @throws ProblemException {@code invalid-idempotency-key}
   */
  static IdempotencyKey parse(String header) {
    String trimmed = header.strip();
    String key = trimmed.startsWith("\"") ? unquote(trimmed) : trimmed;
    if (!KEY.matcher(key).matches()) {
      throw invalid(RULE);
    }
    return new IdempotencyKey(key);
  }

  /** The text as a key, if it can be one. */
  static Optional<IdempotencyKey> ofText(String text) {
    return Optional.of(text).filter(key -> KEY.matcher(key).matches()).map(IdempotencyKey::new);
  }

  private static String unquote(String text) {
    if (!QUOTED.matcher(text).matches()) {
      throw invalid("the quoted string is not well-formed");
    }
    return ESCAPE.matcher(text.substring(1, text.length() - 1)).replaceAll("$1");
  }

  private static ProblemException invalid(String why) {
    return new ProblemException(
        ProblemDocument.of(Problem.INVALID_IDEMPOTENCY_KEY, RequestKey.HEADER + ": " + why + ".")
            .with("errors", List.of(FieldError.header(RequestKey.HEADER, why).json())));
  }
}
