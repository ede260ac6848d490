package dev.millpond.dependency;

import dev.millpond.job.JobState;
import dev.millpond.queue.QueueName;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * How predecessors stand, for as long as the transaction lasts that asked: those that have not
 * ended do not end before it does.
 *
 * @param waited those that have not ended
 * @param ended how the others ended; who is in neither is not there
 * @param passedOver where a claim may have passed over some of them meanwhile
 */
public record Held(Set<UUID> waited, Map<UUID, JobState> ended, Set<QueueName> passedOver) {

  /** Whether there is such a job. */
  public boolean isThere(UUID id) {
    return waited.contains(id) || ended.containsKey(id);
  }
}
