package dev.millpond.admission;

import dev.millpond.job.Job;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job about to be written.
 *
 * @param runAt when it may start, by the database's clock; null for at once
 * @param rank its place among the runnable jobs of its priority; null for the end of the line
 */
record Entry(UUID id, String queue, Submission job, @Nullable Instant runAt, @Nullable Long rank) {

  /** The same in another place. */
  Entry ranked(@Nullable Long place) {
    return new Entry(id, queue, job, runAt, place);
  }

  /** The job as it is when it is written. */
  Job toJob() {
    Instant submittedAt = JobIds.submittedAt(id);
    boolean scheduled = runAt != null && runAt.isAfter(submittedAt);
    return new Job(
        id,
        queue,
        job.type(),
        scheduled ? JobState.SCHEDULED : JobState.QUEUED,
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
        scheduled ? null : Objects.requireNonNullElse(rank, micros(submittedAt)),
        1,
        job.labels(),
        job.tenant(),
        job.callback());
  }

  private static long micros(Instant moment) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, moment);
  }
}
