package dev.millpond.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import dev.millpond.callback.Callback;
import dev.millpond.job.Attempt;
import dev.millpond.job.Concurrency;
import dev.millpond.job.JobError;
import dev.millpond.job.LogLine;
import dev.millpond.job.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job as the API tells it; {@code openapi/schemas.yaml} says what each field means. Payload,
 * result, attempts, log, callback, dependencies and lease are left out where they were not asked
 * for, concurrency where the submit named none; everything else is always there.
 *
 * @param payload JSON, as it was submitted
 * @param result JSON, as the handler returned it
 */
record JobBody(
    UUID id,
    String queue,
    String type,
    String state,
    @Nullable String reason,
    int priority,
    @JsonRawValue @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String payload,
    @JsonRawValue @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String result,
    @Nullable JobError error,
    int attempt,
    int maxAttempts,
    int recoveries,
    @Nullable Progress progress,
    Instant submittedAt,
    Instant runAt,
    @Nullable Instant startBy,
    Duration timeout,
    @Nullable Instant startedAt,
    @Nullable Instant finishedAt,
    @Nullable Integer position,
    @Nullable Instant estimatedStartAt,
    int version,
    Map<String, String> labels,
    @Nullable String tenant,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Concurrency concurrency,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<Attempt> attempts,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<LogLine> log,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Callback callback,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<UUID> dependsOn,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String onDependencyFailure,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Held lease,
    Map<String, String> links) {

  /** The lease under which a claim was answered with the job. */
  record Held(UUID token, Instant expiresAt) {}
}
