package dev.millpond.job;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far a handler says it is.
 *
 * @param percent 0 to 100
 */
public record Progress(int percent, @Nullable String message, Instant updatedAt) {}
