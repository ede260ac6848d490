package dev.millpond.queue;

/** Jobs of a queue stopped waiting without having started: cancelled or expired. */
public record JobsWithdrawn(QueueName queue, int count) {}
