package dev.millpond.rest;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads one JSON document from bytes, once and in order, and knows its place in it. What is wrong
 * with a value becomes an error at its JSON Pointer, and reading goes on behind it; only what
 * cannot be read on from ends with a {@link ProblemException}. Each reading method begins at a
 * value and ends behind it.
 *
 * <p>Beyond the grammar (RFC 8259) it refuses what programs or PostgreSQL would read differently
 * than its sender (RFC 7493): names given twice, U+0000, lone surrogates, other encodings.
 */
final class StrictJson {

  /** How deep a value that is not looked into (a payload, say) may be nested. */
  static final int MAX_DEPTH = 64;

  /** How many errors are kept at a time; a body could hold millions. */
  static final int MAX_ERRORS = 20;

  // Names of clients are not interned: they would stay for ever. The depth here only bounds what is
  // skipped unread; the limit that is documented is the one above.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(1_000).build())
          .build();

  private final byte[] body;
  private final JsonParser parser;
  private final Deque<String> path = new ArrayDeque<>();
  private final List<FieldError> errors = new ArrayList<>();

  StrictJson(byte[] body) {
    JsonText.requireUtf8(body);
    this.body = body;
    this.parser = JSON.createParser(ObjectReadContext.empty(), body);
  }

  /** Reads the whole document, whose one value the given reader takes. */
  void document(Runnable value) {
    try {
      if (parser.nextToken() == null) {
        throw broken("a JSON body is required");
      }
      value.run();
      if (parser.nextToken() != null) {
        throw broken(
            "something follows the end of the JSON value" + place(parser.currentTokenLocation()));
      }
    } catch (UnexpectedEndOfInputException _) {
      throw broken("the JSON ends too early");
    } catch (StreamConstraintsException _) {
      throw broken("a number, a name or the nesting is too long to be read");
    } catch (JacksonException e) {
      throw broken("the JSON is broken" + place(e.getLocation()));
    }
  }

  /** Reads an object, whose values the given reader takes by name; false if it is none. */
  boolean object(Consumer<String> field) {
    if (!expect(JsonToken.START_OBJECT, "must be an object")) {
      return false;
    }
    Set<String> seen = new HashSet<>();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      path.addLast(JsonText.shown(name));
      JsonText.flaw(name).ifPresent(flaw -> error("the name " + flaw));
      parser.nextToken();
      if (seen.add(name)) {
        field.accept(JsonText.shown(name));
      } else {
        error("is given twice");
        skip();
      }
      path.removeLast();
    }
    return true;
  }

  /** Reads an array, whose items the given reader takes by index; false if it is none. */
  boolean array(Consumer<Integer> item) {
    if (!expect(JsonToken.START_ARRAY, "must be an array")) {
      return false;
    }
    for (int index = 0; ; index++) {
      // In the path before it is read, so that a break in it is named by its place.
      path.addLast(Integer.toString(index));
      boolean ended = parser.nextToken() == JsonToken.END_ARRAY;
      if (!ended) {
        item.accept(index);
      }
      path.removeLast();
      if (ended) {
        return true;
      }
    }
  }

  private boolean expect(JsonToken token, String otherwise) {
    if (parser.currentToken() == token) {
      return true;
    }
    error(otherwise);
    skip();
    return false;
  }

  /** Whether the value is {@code null}, which stands for a field that was left out. */
  boolean isNull() {
    return parser.currentToken() == JsonToken.VALUE_NULL;
  }

  /** Reads a string; null, and an error, if it is none or is not sound. */
  @Nullable String text() {
    if (!expect(JsonToken.VALUE_STRING, "must be a string")) {
      return null;
    }
    String text = parser.getString();
    Optional<String> flaw = JsonText.flaw(text);
    flaw.ifPresent(this::error);
    return flaw.isPresent() ? null : text;
  }

  /** Reads a string of 1 to so many characters; null, and an error, if it is none. */
  @Nullable String text(int longest) {
    return parsed(
        () -> "must have 1 to " + longest + " characters",
        text ->
            Optional.of(text)
                .filter(_ -> !text.isEmpty() && text.codePointCount(0, text.length()) <= longest));
  }

  /** Reads a truth value; null, and an error, if it is none. */
  @Nullable Boolean bool() {
    if (parser.currentToken() == JsonToken.VALUE_TRUE) {
      return true;
    }
    return expect(JsonToken.VALUE_FALSE, "must be true or false") ? false : null;
  }

  /** Reads a whole number in a range; null, and an error, if it is none. */
  @Nullable Integer integer(int min, int max) {
    String rule = "must be a whole number from " + min + " to " + max;
    if (!expect(JsonToken.VALUE_NUMBER_INT, rule)) {
      return null;
    }
    String digits = parser.getString();
    // Longer ones are out of any range here, and may not fit a long.
    long value = digits.length() <= 12 ? Long.parseLong(digits) : Long.MAX_VALUE;
    if (value < min || value > max) {
      error(rule);
      return null;
    }
    return (int) value;
  }

  /** Reads a number in a range; null, and an error, if it is none. */
  @Nullable Double number(double min, double max) {
    String rule = "must be a number from " + min + " to " + max;
    if (!parser.currentToken().isNumeric()) {
      error(rule);
      skip();
      return null;
    }
    double value = parser.getDoubleValue();
    if (!(value >= min && value <= max)) {
      error(rule);
      return null;
    }
    return value;
  }

  /** Reads a duration (ISO 8601) in a range; null, and an error, if it is none. */
  @Nullable Duration duration(Duration min, Duration max) {
    return parsed(
        () ->
            "must be an ISO 8601 duration from %s to %s, such as \"PT30S\"; no years, months or"
                    .formatted(min, max)
                + " weeks",
        text -> Iso.duration(text).filter(d -> d.compareTo(min) >= 0 && d.compareTo(max) <= 0));
  }

  /** Reads an instant (RFC 3339) from 1970 on; null, and an error, if it is none. */
  @Nullable Instant instant() {
    return parsed(
        () ->
            "must be an RFC 3339 instant from 1970 on with its offset, such as"
                + " \"2026-11-23T15:16:00Z\"",
        Iso::instant);
  }

  /** Reads a string that stands for something; null, and an error, if it does not. */
  <T> @Nullable T parsed(Supplier<String> rule, Function<String, Optional<T>> parse) {
    String text = text();
    if (text == null) {
      return null;
    }
    Optional<T> value = parse.apply(text);
    if (value.isEmpty()) {
      error(rule.get());
    }
    return value.orElse(null);
  }

  /**
   * Reads any value and gives its bytes as they were sent; null, and an error, if there are more.
   */
  @Nullable String raw(int maxBytes) {
    int begin = (int) parser.currentTokenLocation().getByteOffset();
    skip();
    parser.finishToken();
    int end = (int) parser.currentLocation().getByteOffset();
    return end - begin > maxBytes
        ? null
        : new String(body, begin, end - begin, StandardCharsets.UTF_8);
  }

  /** Reads any value for nothing but its soundness. */
  void skip() {
    skip(0);
  }

  private void skip(int depth) {
    if (depth > MAX_DEPTH) {
      error("is nested more than " + MAX_DEPTH + " levels deep");
      parser.skipChildren();
      return;
    }
    switch (parser.currentToken()) {
      case START_OBJECT -> object(_ -> skip(depth + 1));
      case START_ARRAY -> array(_ -> skip(depth + 1));
      case VALUE_STRING -> text();
      default -> parser.finishToken();
    }
  }

  /** Notes what is wrong with the value that is being read. */
  void error(String detail) {
    error("", detail);
  }

  /** Notes what is wrong with a field of the value that is being read. */
  void error(String below, String detail) {
    if (errors.size() < MAX_ERRORS) {
      errors.add(FieldError.at(pointer() + below, detail));
    }
  }

  /** The errors so far; they are forgotten here. */
  List<FieldError> takeErrors() {
    List<FieldError> taken = List.copyOf(errors);
    errors.clear();
    return taken;
  }

  /** Puts back errors that were taken. */
  void restoreErrors(List<FieldError> taken) {
    errors.addAll(0, taken);
  }

  /** Where reading stands, as a JSON Pointer (RFC 6901). */
  String pointer() {
    return path.stream()
        .map(name -> "/" + name.replace("~", "~0").replace("/", "~1"))
        .collect(Collectors.joining());
  }

  private ProblemException broken(String detail) {
    List<FieldError> all = new ArrayList<>(takeErrors());
    all.add(FieldError.at(pointer(), detail));
    return new ProblemException(ProblemDocument.invalid(all));
  }

  private static String place(@Nullable TokenStreamLocation location) {
    return location == null
        ? ""
        : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
  }
}
