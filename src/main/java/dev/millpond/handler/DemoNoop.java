package dev.millpond.handler;

import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/**
 * {@code demo.noop}: takes any payload and does nothing, to measure all that is around a handler.
 */
@Component
final class DemoNoop implements JobHandler<JsonNode> {

  @Override
  public String type() {
    return "demo.noop";
  }

  @Override
  public Class<JsonNode> payloadType() {
    return JsonNode.class;
  }

  @Override
  public @Nullable Object handle(JsonNode payload, JobContext context) {
    return null;
  }
}
