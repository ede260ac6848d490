package dev.millpond.faults;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A change of a job as the database itself recorded it, in the transaction that made it.
 *
 * @param number rises with each
 * @param at seconds since the start, by the database's clock
 * @param token that it was made with; of an end, the token of the lease that ended
 * @param worker who held the lease
 * @param error its type, where an attempt failed
 * @param transaction that made it, with others
 * @param overdue of an ended lease: whether its time was over
 */
record Change(
    long number,
    double at,
    Kind kind,
    UUID job,
    int attempt,
    @Nullable UUID token,
    @Nullable String worker,
    @Nullable String error,
    boolean overdue,
    long transaction) {

  enum Kind {
    /** A lease began. */
    GRANTED,
    /** A lease ended, whatever came then. */
    ENDED,
    /** An attempt ended that is followed by another. */
    AGAIN,
    /** The job is final. */
    FINAL,
    /** The job is no longer final: redriven or removed. */
    REOPENED
  }

  boolean isWorkerLost() {
    return "worker-lost".equals(error);
  }
}
