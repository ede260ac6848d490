package dev.millpond.queue;

import java.time.Duration;

/**
 * Jobs of a queue stopped waiting because this node claimed them.
 *
 * @param more whether others were left waiting
 * @param waited how long the last of them could have started and did not
 */
public record JobsStarted(QueueName queue, int count, boolean more, Duration waited) {}
