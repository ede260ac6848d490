package dev.millpond.schedule;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a node remembers of a schedule: enough to know when to ask the database.
 *
 * @param firedTo each due time up to here has had its row, as far as this node knows
 */
record Armed(
    UUID id,
    int revision,
    DueTimes dueTimes,
    Misfire misfire,
    boolean paused,
    Instant firedTo,
    Instant updatedAt) {

  /** When it is due next; null if never. */
  @Nullable Instant next() {
    Optional<Instant> next = paused ? Optional.empty() : dueTimes.after(firedTo);
    return next.orElse(null);
  }

  Armed firedTo(Instant moment) {
    return new Armed(id, revision, dueTimes, misfire, paused, moment, updatedAt);
  }
}
