package dev.millpond.handler;

import static java.util.stream.Collectors.joining;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonPointer;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.exc.ValueInstantiationException;

/** Says in the client's words what Jackson says in Java's: no message of it names a class. */
final class Unreadable {

  private static final Set<Class<?>> INTEGERS =
      Set.of(
          byte.class,
          short.class,
          int.class,
          long.class,
          Byte.class,
          Short.class,
          Integer.class,
          Long.class,
          BigInteger.class);
  private static final Set<Class<?>> NUMBERS =
      Set.of(float.class, double.class, Float.class, Double.class, BigDecimal.class, Number.class);
  private static final Set<Class<?>> BOOLEANS = Set.of(boolean.class, Boolean.class);
  private static final Pattern CLASS_NAME = Pattern.compile("\\b(\\w+[.$])+[A-Z]\\w*");

  private Unreadable() {}

  static PayloadViolation describe(JacksonException failure) {
    return new PayloadViolation(pointer(failure).toString(), detail(failure));
  }

  /** Where it stands. A duplicate key is known to the parser only, which stops at it. */
  static JsonPointer pointer(JacksonException failure) {
    if (isDuplicate(failure) && failure.processor() instanceof JsonParser parser) {
      return parser.streamReadContext().pathAsPointer();
    }
    JsonPointer pointer = JsonPointer.empty();
    for (JacksonException.Reference step : failure.getPath()) {
      String name = step.getPropertyName();
      pointer = name == null ? pointer.appendIndex(step.getIndex()) : pointer.appendProperty(name);
    }
    return pointer;
  }

  private static String detail(JacksonException failure) {
    return switch (failure) {
      case InputCoercionException beyond ->
          "must be " + wanted(beyond.getTargetType()) + " that is not beyond its bounds";
      case StreamConstraintsException tooMuch -> "is nested too deeply, or a value is too long";
      case StreamReadException twice when isDuplicate(twice) -> "stands here twice";
      case StreamReadException broken -> "is not JSON";
      case ValueInstantiationException refused -> reason(refused.getCause());
      case UnrecognizedPropertyException unknown ->
          Spelling.unknownField(unknown.getPropertyName(), unknown.getKnownPropertyIds());
      case MismatchedInputException missing when isMissing(missing) -> "is required";
      case MismatchedInputException mismatch -> "must be " + wanted(mismatch.getTargetType());
      default -> "cannot be read";
    };
  }

  private static boolean isDuplicate(JacksonException failure) {
    return failure instanceof StreamReadException
        && failure.getOriginalMessage().startsWith("Duplicate ");
  }

  private static boolean isMissing(MismatchedInputException failure) {
    String message = failure.getOriginalMessage();
    return message.startsWith("Cannot map `null`") || message.startsWith("Missing ");
  }

  /** What a payload's own constructor says, unless it talks of classes. */
  private static String reason(@Nullable Throwable cause) {
    String message = cause instanceof IllegalArgumentException ? cause.getMessage() : null;
    return message == null || CLASS_NAME.matcher(message).find() ? "is not a legal value" : message;
  }

  private static String wanted(@Nullable Class<?> type) {
    if (type == null) {
      return "of another type";
    } else if (INTEGERS.contains(type)) {
      return "an integer";
    } else if (NUMBERS.contains(type)) {
      return "a number";
    } else if (BOOLEANS.contains(type)) {
      return "true or false";
    } else if (CharSequence.class.isAssignableFrom(type)) {
      return "a string";
    } else if (type == Duration.class) {
      return "an ISO 8601 duration such as \"PT30S\"";
    } else if (type.getPackageName().equals("java.time")) {
      return "an ISO 8601 date or time";
    } else if (type == UUID.class) {
      return "a UUID";
    } else if (type == URI.class) {
      return "a URI";
    } else if (type.isEnum()) {
      return "one of " + values(type);
    } else if (type.isArray() || Collection.class.isAssignableFrom(type)) {
      return "an array";
    }
    return "an object";
  }

  private static String values(Class<?> type) {
    return Arrays.stream(type.getEnumConstants())
        .map(PayloadJson.MAPPER::writeValueAsString)
        .collect(joining(", "));
  }
}
