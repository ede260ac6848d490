package dev.millpond.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import dev.millpond.job.Concurrency;
import dev.millpond.queue.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A schedule: its settings, when it is due next and what became of its last due times. {@code
 * openapi/schemas.yaml} says what each field means. Lists leave out payload and firings.
 */
record ScheduleBody(
    String name,
    @Nullable String cron,
    @Nullable Duration every,
    @Nullable String timeZone,
    String queue,
    Template job,
    String misfire,
    String overlap,
    boolean paused,
    List<Instant> nextFirings,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<Fired> firings,
    Instant createdAt,
    Instant updatedAt,
    Map<String, String> links) {

  /** What each firing submits. */
  record Template(
      String type,
      @JsonRawValue @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String payload,
      int priority,
      Duration timeout,
      RetryPolicy retry,
      @Nullable String tenant,
      Map<String, String> labels,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Target callback,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Concurrency concurrency) {}

  /** Who is told of a job's end. */
  record Target(String url) {}

  /** What became of a due time. */
  record Fired(
      Instant dueAt,
      boolean triggered,
      String state,
      @Nullable String reason,
      @Nullable UUID jobId,
      @Nullable String jobState,
      @Nullable Instant decidedAt) {}
}
