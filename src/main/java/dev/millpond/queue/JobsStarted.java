package dev.millpond.queue;

import java.time.Duration;
import java.util.List;

/**
 * Jobs of a queue stopped waiting because this node claimed them.
 *
 * @param more whether others were left waiting
 * @param waited how long the last of them could have started and did not
 * @param fronts the same by priority, and up to which rank
 */
public record JobsStarted(
    QueueName queue, int count, boolean more, Duration waited, List<Front> fronts) {

  /**
   * Those of one priority.
   *
   * @param rank the greatest of their ranks
   */
  public record Front(int priority, int count, long rank) {}
}
