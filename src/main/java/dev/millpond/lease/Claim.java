package dev.millpond.lease;

import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.Set;

/**
 * What a pull worker asks for.
 *
 * @param worker its name
 * @param max how many jobs at most
 * @param lease for how long it holds them, unless it renews; never beyond a job's timeout
 * @param types only jobs of these types; none for any
 */
public record Claim(QueueName queue, String worker, int max, Duration lease, Set<String> types) {}
