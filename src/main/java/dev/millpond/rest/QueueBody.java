package dev.millpond.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.swagger.v3.oas.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** A queue: its settings, what waits in it and how quickly it moves. */
@Schema(name = "Queue")
record QueueBody(
    String name,
    @Schema(description = "How many jobs may wait in it; running ones do not count.") int cap,
    @Schema(description = "How many of its jobs run at once over all nodes; null for no limit.")
        @Nullable Integer concurrency,
    Depth depth,
    long running,
    @Schema(description = "Jobs that start in a second while others wait; null until known.")
        @Nullable Double drainRatePerSecond,
    @Schema(
            type = "string",
            format = "duration",
            description = "How long a new job is expected to wait.")
        @Nullable String estimatedWait) {

  /** What waits. */
  @JsonInclude(JsonInclude.Include.ALWAYS)
  record Depth(long total, long queued, long scheduled, long retrying) {}
}
