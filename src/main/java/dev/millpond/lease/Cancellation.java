package dev.millpond.lease;

/** What a request to cancel a job came to. */
public enum Cancellation {
  /** The job waited, and is cancelled now. */
  CANCELLED,
  /** The job runs, and its worker has been asked to stop. */
  REQUESTED,
  /** The job neither waited nor ran, or was asked before: look at its state. */
  UNCHANGED
}
