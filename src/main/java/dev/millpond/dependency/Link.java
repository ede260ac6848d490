package dev.millpond.dependency;

import dev.millpond.job.JobState;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * That a job depends on another.
 *
 * @param place in the order in which the job names its predecessors, from 0
 * @param runAnyway whether the job is to run if the predecessor does not succeed, too
 * @param ended how the predecessor has ended; null if it has not
 */
public record Link(
    UUID id, UUID predecessor, int place, boolean runAnyway, @Nullable JobState ended) {

  /** Whether the job waits for it: as well for an end that is to cancel the job, which is soon. */
  public boolean isAwaited() {
    return ended == null || (ended != JobState.SUCCEEDED && !runAnyway);
  }
}
