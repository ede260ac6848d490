package dev.millpond.queue;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A queue's settings in force.
 *
 * @param cap how many jobs may wait in it; running ones do not count
 * @param concurrency how many of its jobs run at once over all nodes; null for as many as there are
 *     slots
 * @param maxWait a cap in time: how long jobs may have to wait; null for no such cap
 * @param workers which workers may claim its jobs
 * @param rateLimit how quickly its jobs may start; null for no such limit
 * @param retention how long its finished jobs are kept, at least; null for the service's default
 * @param paused whether none of its jobs may start for now
 */
public record Queue(
    QueueName name,
    int cap,
    @Nullable Integer concurrency,
    @Nullable Duration maxWait,
    Workers workers,
    @Nullable StartRate rateLimit,
    @Nullable Duration retention,
    boolean paused) {

  /** Whether how many of its jobs may start is decided over all nodes. */
  public boolean isLimited() {
    return concurrency != null || rateLimit != null;
  }
}
