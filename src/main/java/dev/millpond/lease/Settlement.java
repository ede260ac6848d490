package dev.millpond.lease;

import dev.millpond.job.JobState;

/** What a settlement came to. */
public sealed interface Settlement {

  /** The job changed to this state, by this settlement. */
  record Settled(JobState state) implements Settlement {}

  /** The lease was no longer the worker's: nothing changed. */
  record Lost() implements Settlement {}
}
