package dev.millpond.handler;

import java.time.Duration;

/**
 * Thrown by a handler: it is too early, the job should start again later. This attempt does not
 * count, so there is no bound on how often a handler may do so.
 */
public class Snooze extends Exception {

  private static final long serialVersionUID = 1L;

  private final Duration delay;

  /**
   * The job starts again after the given wait.
   *
   * @param delay at most 365 days; what is more or negative is brought to the nearer bound
   */
  public Snooze(Duration delay) {
    super("snoozes for " + delay);
    this.delay = delay;
  }

  /** How long the job waits. */
  public Duration delay() {
    return delay;
  }
}
