package dev.millpond.job;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job on which another depends, as that one finds it when it runs.
 *
 * @param state how it ended; null if it was removed, or sent back, since
 * @param result JSON, as its handler returned it; null for none
 */
public record Predecessor(UUID id, @Nullable JobState state, @Nullable String result) {}
