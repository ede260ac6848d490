package dev.millpond.queue;

import java.time.Duration;
import java.util.List;

/**
 * Jobs of a queue stopped waiting because this node claimed them.
 *
 * @param more whether others were left waiting
 * @param waits for how long each of them, one at least, could have started and did not; in the
 *     order in which they were claimed
 * @param fronts how many they are of each priority, and up to which rank
 */
public record JobsStarted(QueueName queue, boolean more, List<Duration> waits, List<Front> fronts) {

  /**
   * Those of one priority.
   *
   * @param rank the greatest of their ranks
   */
  public record Front(int priority, int count, long rank) {}
}
