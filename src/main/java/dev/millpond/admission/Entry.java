package dev.millpond.admission;

import dev.millpond.job.Job;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job about to be written.
 *
 * @param runAt when it may start, by the database's clock; null for at once
 */
record Entry(UUID id, String queue, Submission job, @Nullable Instant runAt) {

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
        scheduled ? null : ChronoUnit.MICROS.between(Instant.EPOCH, submittedAt),
        1,
        job.labels(),
        job.tenant());
  }
}
