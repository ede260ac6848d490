package dev.millpond.lease;

import dev.millpond.lease.LeaseSql.Held;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The right to work on one job until the lease expires. Every statement that changes the job
 * meanwhile is guarded by the token, so that a worker which lost the lease changes nothing.
 *
 * @param id the job's
 * @param token fresh for each claim
 * @param tenant for whom it is; null for nobody in particular
 * @param attempt the number of this start, from 1
 * @param recoveries how many of the starts before ended with the death of their worker
 * @param maxAttempts how many attempts may fail
 * @param timeout how long the attempt may take
 * @param waited how long the job could have started and did not
 * @param expiresAt when it expires if it is not renewed, by the database's clock
 */
public record Lease(
    UUID id,
    UUID token,
    QueueName queue,
    @Nullable String tenant,
    String type,
    @Nullable String payload,
    int attempt,
    int recoveries,
    int maxAttempts,
    RetryPolicy retry,
    Duration timeout,
    @Nullable String traceparent,
    Duration waited,
    Instant expiresAt) {

  /**
   * Whether a worker died under this job: a node runs one such job at a time, so that the guilty
   * one is found.
   */
  public boolean isSuspect() {
    return recoveries > 0;
  }

  /** As its settlement needs it: a death of the worker is not the job's failure. */
  Held held() {
    return new Held(id, token, attempt - recoveries, maxAttempts, retry);
  }
}
