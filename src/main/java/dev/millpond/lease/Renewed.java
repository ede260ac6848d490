package dev.millpond.lease;

import java.time.Instant;
import java.util.UUID;

/**
 * A lease that is held and was renewed.
 *
 * @param expiresAt by the database's clock
 * @param cancelRequested whether the job was asked to cancel
 */
public record Renewed(UUID id, UUID token, Instant expiresAt, boolean cancelRequested) {}
