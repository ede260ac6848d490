package dev.millpond.lease;

import dev.millpond.job.Outcome;
import java.util.UUID;

/** How an attempt ended, as a worker tells it that knows no more of it than its token. */
public record Ending(UUID id, UUID token, Outcome outcome) {}
