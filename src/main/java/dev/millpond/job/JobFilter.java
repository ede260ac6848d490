package dev.millpond.job;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs a list shows; null means any.
 *
 * @param labels all of these must be there
 * @param submittedAfter only later ones
 */
public record JobFilter(
    @Nullable String queue,
    @Nullable JobState state,
    @Nullable String type,
    @Nullable String tenant,
    Map<String, String> labels,
    @Nullable Instant submittedAfter) {}
