package dev.millpond.queue;

/** Jobs of a queue wait again: for a retry, given back, or redriven. */
public record JobsReturned(QueueName queue, int count) {}
