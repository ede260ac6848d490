package dev.millpond.rest;

import dev.millpond.admission.Pressure;
import dev.millpond.admission.Refusal;
import java.util.OptionalDouble;
import java.util.function.BiConsumer;

/**
 * Tells a producer how much room its queue has, with every answer to a submit
 * (draft-ietf-httpapi-ratelimit-headers): the policy {@code depth} is the queue's cap, its limit
 * the room that is left and the time until all that waits would have started.
 */
final class RateLimit {

  private static final String POLICY = "RateLimit-Policy";
  private static final String LIMIT = "RateLimit";

  private RateLimit() {}

  /** Sets the headers by a queue's pressure. */
  static void tell(Pressure pressure, BiConsumer<String, String> header) {
    header.accept(POLICY, policy(pressure.cap()));
    header.accept(LIMIT, limit(pressure.room(), pressure.depth(), pressure.drainRate()));
  }

  /** The refusal of a single job with the headers: there is no room for it. */
  static ProblemDocument tell(Refusal refusal, ProblemDocument document) {
    return document
        .header(POLICY, policy(refusal.cap()))
        .header(LIMIT, limit(0, refusal.depth(), refusal.drainRate()));
  }

  private static String policy(int cap) {
    return "\"depth\";q=" + cap + ";qu=\"jobs\"";
  }

  private static String limit(int room, int depth, OptionalDouble rate) {
    String limit = "\"depth\";r=" + room;
    return rate.isPresent() && rate.getAsDouble() > 0
        ? limit + ";t=" + (long) Math.ceil(depth / rate.getAsDouble())
        : limit;
  }
}
