package dev.millpond.queue;

/**
 * Somebody has come to the line of a concurrency key, or may have left a slot of it, by what this
 * node did: a hint to look whether others may start now.
 *
 * @param key counts within the queue
 */
public record LineChanged(QueueName queue, String key) {}
