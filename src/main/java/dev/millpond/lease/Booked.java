package dev.millpond.lease;

import dev.millpond.queue.QueueName;
import org.jspecify.annotations.Nullable;

/** What was added to the books: how many jobs wait now that did not, and how many of them run. */
record Booked(QueueName queue, @Nullable String tenant, int waiting, int runnable) {}
