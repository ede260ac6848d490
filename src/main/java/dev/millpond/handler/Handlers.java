package dev.millpond.handler;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.springframework.stereotype.Component;

/** The handlers of this service, by job type. */
@Component
public class Handlers {

  private final Map<String, JobHandler<?>> byType = new TreeMap<>();

  Handlers(List<JobHandler<?>> handlers) {
    for (JobHandler<?> handler : handlers) {
      byType.put(handler.type(), handler);
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

  /** TEMP. */
  public Object read(String type, @org.jspecify.annotations.Nullable String payload) {
    return tools.jackson.databind.json.JsonMapper.shared()
        .readValue(payload == null ? "{}" : payload, find(type).orElseThrow().payloadType());
  }

  /** TEMP. */
  public static @org.jspecify.annotations.Nullable String write(
      @org.jspecify.annotations.Nullable Object result) {
    return result == null
        ? null
        : tools.jackson.databind.json.JsonMapper.shared().writeValueAsString(result);
  }
}
