package dev.millpond.lease;

import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where there is work, as the database knows it.
 *
 * @param queues with jobs that may start now
 * @param suspects those of them with jobs under which a worker died
 * @param nextDue how long until a delayed job is due; null if none is delayed
 */
public record Poll(Set<QueueName> queues, Set<QueueName> suspects, @Nullable Duration nextDue) {}
