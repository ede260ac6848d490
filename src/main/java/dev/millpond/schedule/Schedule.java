package dev.millpond.schedule;

import dev.millpond.admission.Submission;
import dev.millpond.queue.QueueName;
import java.time.Instant;
import java.util.UUID;

/**
 * A schedule as it is.
 *
 * @param id of this life of the name
 * @param name {@link QueueName#PATTERN}
 * @param revision rises with each change of the settings
 */
public record Schedule(
    UUID id, String name, int revision, Settings settings, Instant createdAt, Instant updatedAt) {

  /**
   * What people set.
   *
   * @param job what each firing submits; without times of its own
   * @param paused whether it is not due at all
   */
  public record Settings(
      DueTimes dueTimes,
      QueueName queue,
      Submission job,
      Misfire misfire,
      Overlap overlap,
      boolean paused) {}
}
