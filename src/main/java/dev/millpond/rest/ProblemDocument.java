package dev.millpond.rest;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;

/**
 * One refusal as it is sent: a problem document (RFC 9457) and the headers beside it.
 *
 * @param type the path of the page that explains it, or {@code about:blank} if the status says all
 * @param detail what is special about this occurrence, for a person
 * @param extensions members for programs, each a text, number, truth value, list or map of these
 * @param headers sent beside the document
 */
public record ProblemDocument(
    String type,
    int status,
    String title,
    String detail,
    Map<String, Object> extensions,
    Map<String, String> headers) {

  public ProblemDocument {
    extensions = Map.copyOf(extensions);
    headers = Map.copyOf(headers);
  }

  /** A problem of the catalogue. */
  public static ProblemDocument of(Problem problem, String detail) {
    return new ProblemDocument(
        problem.type(), problem.status(), problem.title(), detail, Map.of(), Map.of());
  }

  /** An {@code invalid-request} that names its bad places. */
  public static ProblemDocument invalid(List<FieldError> errors) {
    String detail =
        errors.size() == 1
            ? errors.getFirst().sentence()
            : errors.size() + " places are wrong; `errors` names them.";
    return of(Problem.INVALID_REQUEST, detail)
        .with("errors", errors.stream().map(FieldError::json).toList());
  }

  /** A refusal by the web server itself, of which no more is known than its status. */
  public static ProblemDocument ofStatus(int status) {
    return switch (status) {
      case 400 -> of(Problem.INVALID_REQUEST, "The request is not well-formed HTTP.");
      case 404 -> of(Problem.NOT_FOUND, "The path is none of this service's.");
      case 405 -> of(Problem.METHOD_NOT_ALLOWED, "The path does not know this method.");
      case 406 -> of(Problem.NOT_ACCEPTABLE, "The answer cannot be given in that form.");
      case 413 -> of(Problem.PAYLOAD_TOO_LARGE, "The body is too large.");
      case 415 -> of(Problem.UNSUPPORTED_MEDIA_TYPE, "The body is not in a form that is read.");
      case 500 -> of(Problem.INTERNAL_ERROR, "Something went wrong that should not.");
      case 503 -> of(Problem.OVERLOADED, "The service cannot take the request now.").retryAfter(2);
      default -> blank(status);
    };
  }

  private static ProblemDocument blank(int status) {
    HttpStatus known = HttpStatus.resolve(status);
    String title = known == null ? "Status " + status : known.getReasonPhrase();
    return new ProblemDocument("about:blank", status, title, title + ".", Map.of(), Map.of());
  }

  /** The request came to no end in time. */
  static ProblemDocument timeout(String detail) {
    ProblemDocument blank = blank(HttpStatus.REQUEST_TIMEOUT.value());
    return new ProblemDocument(
        blank.type(), blank.status(), blank.title(), detail, Map.of(), Map.of());
  }

  /** The same with another status, for a problem that has several. */
  public ProblemDocument status(int another) {
    return new ProblemDocument(type, another, title, detail, extensions, headers);
  }

  /** The same with one more member. */
  public ProblemDocument with(String member, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(extensions);
    more.put(member, value);
    return new ProblemDocument(type, status, title, detail, more, headers);
  }

  /** The same with one more header. */
  public ProblemDocument header(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new ProblemDocument(type, status, title, detail, extensions, more);
  }

  /** The same with {@code Retry-After}, in whole seconds. */
  public ProblemDocument retryAfter(long seconds) {
    return header(HttpHeaders.RETRY_AFTER, Long.toString(seconds));
  }

  /** The same with {@code Retry-After} rounded up to whole seconds, and {@code retryAfterMs}. */
  public ProblemDocument retryAfter(Duration wait) {
    long millis = Math.max(1, wait.plusNanos(999_999).toMillis()); // nobody comes too early
    return retryAfter(Math.ceilDiv(millis, 1_000L)).with("retryAfterMs", millis);
  }

  /** The same, and the connection ends after it, because more of the request may come. */
  public ProblemDocument closing() {
    return header(HttpHeaders.CONNECTION, "close");
  }

  boolean isClosing() {
    return headers.containsKey(HttpHeaders.CONNECTION);
  }

  /** The members in the order in which they are written. */
  Map<String, Object> json() {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("type", type);
    members.put("title", title);
    members.put("status", status);
    members.put("detail", detail);
    extensions.keySet().stream()
        .sorted()
        .forEach(name -> members.put(name, extensions.getOrDefault(name, "")));
    return members;
  }
}
