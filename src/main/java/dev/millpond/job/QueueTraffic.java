package dev.millpond.job;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a queue holds, and how quickly it comes.
 *
 * @param arrivalsPerSecond jobs that were submitted in a second: of the last minute, or of the last
 *     200 jobs if they came in less
 * @param oldest for how long the oldest of the jobs that are next in line, one of each priority,
 *     has waited; null if none could start
 */
public record QueueTraffic(
    QueueCounts counts, double arrivalsPerSecond, @Nullable Duration oldest) {}
