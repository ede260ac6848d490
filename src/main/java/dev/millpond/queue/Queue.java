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
 */
public record Queue(
    QueueName name,
    int cap,
    @Nullable Integer concurrency,
    @Nullable Duration maxWait,
    Workers workers) {}
