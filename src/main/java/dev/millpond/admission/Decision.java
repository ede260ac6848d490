package dev.millpond.admission;

import java.util.List;
import java.util.UUID;

/** What became of a submit. */
public sealed interface Decision {

  /** Committed: these are the jobs, in the order of the request. */
  record Accepted(List<UUID> ids) implements Decision {}

  /** The same request with the same key was accepted before, as these jobs. */
  record Replayed(List<UUID> ids) implements Decision {}

  /** The key was used for another request: nothing was accepted. */
  record KeyReused() implements Decision {}

  /** The first request with the key is not decided yet: nothing was accepted by this one. */
  record KeyInFlight() implements Decision {}

  /** No room: nothing was accepted. */
  record Full(Refusal refusal) implements Decision {}

  /** More jobs than the queue's cap: it would never be accepted. */
  record BatchExceedsCap(int cap) implements Decision {}

  /** Too much waits to be written: nothing was accepted. */
  record Overloaded() implements Decision {}

  /** The commit was sent and its answer never came: the jobs may exist. */
  record OutcomeUnknown() implements Decision {}
}
