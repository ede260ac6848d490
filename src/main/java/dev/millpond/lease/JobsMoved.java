package dev.millpond.lease;

import java.util.List;
import java.util.UUID;

/**
 * Jobs have come to the lines of concurrency keys, or left slots of them, if they have keys: as
 * {@link dev.millpond.queue.LineChanged}, of statements that do not tell the keys.
 */
record JobsMoved(List<UUID> ids) {}
