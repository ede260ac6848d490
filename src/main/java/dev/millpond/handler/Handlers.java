package dev.millpond.handler;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.core.JacksonException;

/** The handlers of this service, by job type, and the JSON that they take and give. */
@Component
public class Handlers {

  /** The largest result, in bytes of UTF-8. */
  public static final int MAX_RESULT = 256 * 1024;

  private static final Pattern TYPE = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");

  private final Map<String, JobHandler<?>> byType = new TreeMap<>();

  /**
   * @throws IllegalStateException if a handler's type is not a legal one, or two have the same
   */
  Handlers(List<JobHandler<?>> handlers) {
    handlers.forEach(this::add);
  }

  private void add(JobHandler<?> handler) {
    String type = handler.type();
    if (!TYPE.matcher(type).matches()) {
      throw new IllegalStateException(
          "%s serves the job type \"%s\", which is not of the form %s"
              .formatted(handler.getClass().getName(), type, TYPE));
    }
    JobHandler<?> other = byType.putIfAbsent(type, handler);
    if (other != null) {
      throw new IllegalStateException(
          "Two handlers serve the job type \"%s\": %s and %s"
              .formatted(type, other.getClass().getName(), handler.getClass().getName()));
    }
  }

  /** The job types that have a handler, in alphabetical order. */
  public SortedSet<String> types() {
    return new TreeSet<>(byType.keySet());
  }

  /** The handler for a job type. */
  public Optional<JobHandler<?>> find(String type) {
    return Optional.ofNullable(byType.get(type));
  }

  /**
   * What the type's handler could not read in a payload, sorted by place. None if it could read all
   * of it, or if the type has no handler here.
   *
   * @param payload JSON; null for an absent one, which a record reads as an empty object
   */
  public List<PayloadViolation> check(String type, @Nullable String payload) {
    JobHandler<?> handler = byType.get(type);
    return handler == null
        ? List.of()
        : PayloadReader.read(handler.payloadType(), payload).violations();
  }

  /**
   * The payload that the type's handler takes.
   *
   * @param payload JSON; null for an absent one, which a record reads as an empty object
   * @throws PermanentFailure {@code unknown-type} or, if the handler cannot read what was once
   *     accepted, {@code payload-unreadable}
   */
  public Object read(String type, @Nullable String payload) throws PermanentFailure {
    JobHandler<?> handler = byType.get(type);
    if (handler == null) {
      throw new PermanentFailure("unknown-type", "no handler serves the type " + type);
    }
    PayloadReader.Reading reading = PayloadReader.read(handler.payloadType(), payload);
    if (reading.payload() == null) {
      PayloadViolation first = reading.violations().getFirst();
      throw new PermanentFailure(
          "payload-unreadable",
          "the handler cannot read the payload any more: %s %s"
              .formatted(first.pointer(), first.detail()));
    }
    return reading.payload();
  }

  /**
   * A handler's result as JSON; null for none.
   *
   * @throws PermanentFailure {@code result-too-large} above {@link #MAX_RESULT}, {@code
   *     result-unwritable} if it has no JSON form
   */
  public static @Nullable String write(@Nullable Object result) throws PermanentFailure {
    if (result == null) {
      return null;
    }
    byte[] json = json(result);
    if (json.length > MAX_RESULT) {
      throw new PermanentFailure(
          "result-too-large",
          "the result has %,d bytes of JSON; at most %,d are kept"
              .formatted(json.length, MAX_RESULT));
    }
    return new String(json, StandardCharsets.UTF_8);
  }

  private static byte[] json(Object result) throws PermanentFailure {
    try {
      return PayloadJson.MAPPER.writeValueAsBytes(result);
    } catch (JacksonException unwritable) {
      PermanentFailure failure =
          new PermanentFailure("result-unwritable", "the result cannot be written as JSON");
      failure.initCause(unwritable);
      throw failure;
    }
  }
}
