package dev.millpond.rest;

import dev.millpond.admission.Waits;
import dev.millpond.queue.StartRate;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A queue: its settings, what waits in it and how quickly it moves. {@code openapi/schemas.yaml}
 * says what each field means.
 */
record QueueBody(
    String name,
    int cap,
    @Nullable Duration maxWait,
    @Nullable Integer concurrency,
    String workers,
    @Nullable StartRate rateLimit,
    @Nullable Duration retention,
    boolean paused,
    Depth depth,
    long running,
    double arrivalRatePerSecond,
    @Nullable Double drainRatePerSecond,
    Waits.@Nullable Percentiles waited,
    @Nullable Duration oldestAge,
    @Nullable Duration estimatedWait) {

  /** What waits. */
  record Depth(long total, long queued, long scheduled, long blocked, long retrying) {}
}
