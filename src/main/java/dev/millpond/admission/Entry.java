package dev.millpond.admission;

import dev.millpond.job.Job;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job about to be written.
 *
 * @param runAt when it may start, by the database's clock; null for at once
 * @param rank its place among the runnable jobs of its priority; null for the end of the line
 * @param predecessors the jobs that it names, in this order
 * @param missing how many of them have not ended; null if it waits for none
 */
record Entry(
    UUID id,
    String queue,
    Submission job,
    @Nullable Instant runAt,
    @Nullable Long rank,
    List<UUID> predecessors,
    @Nullable Integer missing) {

  /** The same, its predecessors known. */
  Entry after(List<UUID> jobs) {
    return new Entry(id, queue, job, runAt, rank, jobs, missing);
  }

  /** The same, so many of its predecessors not ended. */
  Entry missing(int jobs) {
    return new Entry(id, queue, job, runAt, rank, predecessors, jobs == 0 ? null : jobs);
  }

  /** The same in another place. */
  Entry ranked(@Nullable Long place) {
    return new Entry(id, queue, job, runAt, place, predecessors, missing);
  }

  /** The job as it is when it is written. */
  Job toJob() {
    Instant submittedAt = JobIds.submittedAt(id);
    boolean scheduled = runAt != null && runAt.isAfter(submittedAt);
    boolean queued = missing == null && !scheduled;
    return new Job(
        id,
        queue,
        job.type(),
        queued ? JobState.QUEUED : missing == null ? JobState.SCHEDULED : JobState.BLOCKED,
        job.priority(),
        job.payload(),
        null,
        null,
        0,
        job.retry().maxAttempts(),
        0,
        null,
        runAt == null ? submittedAt : runAt,
        job.startBy(),
        job.timeout(),
        null,
        null,
        null,
        queued && job.concurrency() == null
            ? Objects.requireNonNullElse(rank, micros(submittedAt))
            : null,
        1,
        job.labels(),
        job.tenant(),
        job.callback(),
        job.concurrency(),
        predecessors,
        job.dependsOn().runAnyway());
  }

  /** Its concurrency key; null for none. */
  @Nullable String key() {
    return job.concurrency() == null ? null : job.concurrency().key();
  }

  private static long micros(Instant moment) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, moment);
  }
}
