package dev.millpond.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import dev.millpond.job.Attempt;
import dev.millpond.job.JobError;
import dev.millpond.job.LogLine;
import dev.millpond.job.Progress;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A job as the API tells it. */
@Schema(name = "Job", description = "A job as it is at this moment.")
record JobBody(
    UUID id,
    String queue,
    String type,
    @Schema(
            allowableValues = {
              "scheduled",
              "queued",
              "running",
              "cancelling",
              "retrying",
              "succeeded",
              "failed",
              "cancelled",
              "expired"
            })
        String state,
    @Schema(
            description = "What a waiting job waits for.",
            allowableValues = {"time", "slot", "concurrency"})
        @Nullable String reason,
    int priority,
    @Schema(description = "As it was submitted.", type = "object")
        @JsonRawValue
        @JsonInclude(JsonInclude.Include.NON_NULL)
        @Nullable String payload,
    @Schema(description = "What the handler returned.", type = "object")
        @JsonRawValue
        @JsonInclude(JsonInclude.Include.NON_NULL)
        @Nullable String result,
    @Nullable JobError error,
    @Schema(description = "How often it has started.") int attempt,
    int maxAttempts,
    @Schema(
            description =
                "Starts that ended with the death of their worker; they use up no attempt.")
        int recoveries,
    @Nullable Progress progress,
    Instant submittedAt,
    @Schema(description = "When it may start, or may start again.") Instant runAt,
    @Nullable Instant startBy,
    @Schema(type = "string", format = "duration", example = "PT5M") Duration timeout,
    @Schema(description = "Its first start.") @Nullable Instant startedAt,
    @Nullable Instant finishedAt,
    @Schema(description = "Roughly how many jobs start before it, itself included.")
        @Nullable Integer position,
    @Nullable Instant estimatedStartAt,
    int version,
    Map<String, String> labels,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<Attempt> attempts,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<LogLine> log,
    Map<String, String> links) {}
