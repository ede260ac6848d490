package dev.millpond.rest;

import dev.millpond.admission.Decision.TenantOverShare;
import dev.millpond.admission.Pressure;
import dev.millpond.admission.Refusal;
import java.util.OptionalDouble;
import java.util.function.BiConsumer;

/**
 * Tells a producer how much room its queue has, with every answer to a submit
 * (draft-ietf-httpapi-ratelimit-headers): the policy {@code depth} is the queue's cap, its limit
 * the room that is left and the time until all that waits would have started. Beside it stands
 * {@code tenant}, where a tenant has its share.
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

  /** The refusal of a tenant that has its share, while others may still be let in. */
  static ProblemDocument tell(TenantOverShare over, ProblemDocument document) {
    Refusal refusal = over.refusal();
    int room = Math.max(0, refusal.cap() - refusal.depth());
    return document
        .header(POLICY, policy(refusal.cap()) + ", " + policy("tenant", over.share()))
        .header(LIMIT, limit(room, refusal.depth(), refusal.drainRate()) + ", \"tenant\";r=0");
  }

  private static String policy(int cap) {
    return policy("depth", cap);
  }

  private static String policy(String name, int quota) {
    return "\"" + name + "\";q=" + quota + ";qu=\"jobs\"";
  }

  private static String limit(int room, int depth, OptionalDouble rate) {
    String limit = "\"depth\";r=" + room;
    return rate.isPresent() && rate.getAsDouble() > 0
        ? limit + ";t=" + (long) Math.ceil(depth / rate.getAsDouble())
        : limit;
  }
}
