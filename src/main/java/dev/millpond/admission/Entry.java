package dev.millpond.admission;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job about to be written.
 *
 * @param runAt when it may start, by the database's clock; null for at once
 */
record Entry(UUID id, String queue, Submission job, @Nullable Instant runAt) {}
