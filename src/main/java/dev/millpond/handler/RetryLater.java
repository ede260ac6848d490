package dev.millpond.handler;

import java.time.Duration;

/** Thrown by a handler: the attempt failed, and the next one should start after the given wait. */
public class RetryLater extends Exception {

  private static final long serialVersionUID = 1L;

  private final String type;
  private final transient Duration delay;

  /**
   * @param type a stable, machine-readable word for the kind of failure
   * @param delay the wait before the next attempt, instead of the retry policy's; the number of
   *     attempts stays bounded
   */
  public RetryLater(String type, String message, Duration delay) {
    super(message);
    this.type = type;
    this.delay = delay;
  }

  /** The kind of failure, as the job's {@code error.type} says it. */
  public String type() {
    return type;
  }

  /** The wait before the next attempt. */
  public Duration delay() {
    return delay;
  }
}
