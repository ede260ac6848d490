package dev.millpond.job;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What became of one attempt, as its worker saw it. {@code Leases.settle} turns it into the job's
 * next state.
 */
public sealed interface Outcome {

  /**
   * The handler returned.
   *
   * @param result its result as JSON, at most 256 KiB; null for none
   */
  record Succeeded(@Nullable String result) implements Outcome {}

  /**
   * The handler failed, or ran out of time.
   *
   * @param permanent true if another attempt would fail the same way
   * @param retryIn the wait that the handler asks for instead of the policy's; null leaves it to
   *     the policy
   */
  record Failed(JobError error, boolean permanent, @Nullable Duration retryIn) implements Outcome {}

  /** The handler stopped because it was asked to cancel. */
  record Cancelled() implements Outcome {}

  /**
   * The worker gives the job back unfinished; the attempt does not count.
   *
   * @param delay how long the job waits before it may be claimed again; zero for at once
   */
  record Released(Duration delay) implements Outcome {}
}
