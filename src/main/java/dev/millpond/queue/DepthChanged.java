package dev.millpond.queue;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a committed statement of this node added to the books, other than a submit.
 *
 * @param account whose books
 * @param tenant whose jobs; null for nobody's in particular
 * @param waiting how many more jobs wait; negative if fewer do
 * @param runnable how many more wait for nothing but a slot
 */
public record DepthChanged(
    UUID account, QueueName queue, @Nullable String tenant, int waiting, int runnable) {}
