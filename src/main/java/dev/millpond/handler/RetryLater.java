package dev.millpond.handler;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Thrown by a handler: the attempt failed, and the next one may do better. The number of attempts
 * stays bounded by the job's retry policy.
 */
public class RetryLater extends Exception {

  private static final long serialVersionUID = 1L;

  private final String type;
  private final @Nullable Duration delay;

  /**
   * The next attempt starts after the given wait.
   *
   * @param type a stable, machine-readable word for the kind of failure
   * @param message what happened, for a person
   * @param delay the wait before the next attempt, instead of the retry policy's
   */
  public RetryLater(String type, String message, Duration delay) {
    super(message);
    this.type = type;
    this.delay = delay;
  }

  /**
   * The next attempt starts when the retry policy says.
   *
   * @param type a stable, machine-readable word for the kind of failure
   * @param message what happened, for a person
   */
  public RetryLater(String type, String message) {
    super(message);
    this.type = type;
    this.delay = null;
  }

  /** The kind of failure, as the job's {@code error.type} says it. */
  public String type() {
    return type;
  }

  /** The wait before the next attempt; null leaves it to the retry policy. */
  public @Nullable Duration delay() {
    return delay;
  }
}
