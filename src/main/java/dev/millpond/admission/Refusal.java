package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Why a submit was sent away, and when to come back.
 *
 * @param depth how many jobs wait
 * @param cap how many may
 * @param drainRate starts a second while jobs waited; empty if unknown
 * @param retryAfter when room is expected for this client
 * @param reason what holds the room, if it is not jobs that could start: {@code paused} for a queue
 *     that is, {@code scheduled} for jobs whose time has not come; null else
 */
public record Refusal(
    QueueName queue,
    int depth,
    int cap,
    OptionalDouble drainRate,
    Duration retryAfter,
    @Nullable String reason) {}
