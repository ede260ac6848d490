package dev.millpond.admission;

import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The jobs of one request: written together or not at all.
 *
 * @param account the books that have room for them
 * @param whole whether one that is refused because of its unique key keeps the others out
 */
record Write(UUID account, List<Entry> entries, @Nullable RequestKey key, boolean whole) {

  /** What became of it. */
  enum Result {
    /** Committed. */
    WRITTEN,
    /** Another request has taken the key; nothing was written. */
    KEY_TAKEN,
    /** The account is closed; nothing was written. */
    ACCOUNT_CLOSED,
    /** Another job holds a unique key; nothing was written. */
    DUPLICATE,
    /** A job that holds a unique key is just being moved; nothing was written. */
    MOVING,
    /** Jobs are to wait for others that are not there; nothing was written. */
    PREDECESSORS_GONE,
    /** Predecessors moved on again and again; nothing was written. */
    PREDECESSORS_MOVING
  }

  /**
   * What became of it, job by job.
   *
   * @param written those that were written
   * @param placed what became of each, if one of them has a unique key; in the order of the request
   * @param gone the predecessors that are not there
   */
  record Outcome(Result result, List<Entry> written, List<Placed> placed, Set<UUID> gone) {

    /** Of jobs whose predecessors are all there. */
    Outcome(Result result, List<Entry> written, List<Placed> placed) {
      this(result, written, placed, Set.of());
    }

    /** Whether some are others that were there already, or were refused by themselves. */
    boolean isMerged() {
      return placed.size() > written.size();
    }
  }

  /** Whether some of the jobs wait for others. */
  boolean isDependent() {
    return entries.stream().anyMatch(entry -> entry.job().isDependent());
  }

  /** Whether one of the jobs has a unique key. */
  boolean isUnique() {
    return entries.stream().anyMatch(entry -> entry.job().unique() != null);
  }
}
