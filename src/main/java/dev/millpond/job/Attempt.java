package dev.millpond.job;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One start of a job.
 *
 * @param number from 1
 * @param finishedAt null while it runs
 * @param worker the node or worker that ran it
 * @param error why it failed; null if it succeeded or still runs
 */
public record Attempt(
    int number,
    Instant startedAt,
    @Nullable Instant finishedAt,
    String worker,
    @Nullable JobError error) {}
