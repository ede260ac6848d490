package dev.millpond.queue;

import java.util.Set;

/**
 * Jobs may start in these queues, by what this node did: a hint, and no promise that they are still
 * there.
 *
 * @param suspects whether a worker has died under some of them
 */
public record JobsReady(Set<QueueName> queues, boolean suspects) {}
