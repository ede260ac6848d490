package dev.millpond.job;

/**
 * Why an attempt failed.
 *
 * @param type a stable, machine-readable word, such as {@code timeout}, {@code worker-lost} or what
 *     the handler named
 * @param message for a person; at most 4,000 characters, no stack trace
 */
public record JobError(String type, String message) {

  /** The attempt's worker died, or lost its lease, while it ran. */
  public static final String WORKER_LOST = "worker-lost";

  /** The attempt ran longer than the job's {@code timeout}. */
  public static final String TIMEOUT = "timeout";

  private static final int MAX_MESSAGE = 4_000;

  public JobError {
    // PostgreSQL's text has no NUL, and a handler's message may quote anything.
    type = type.replace("\u0000", "");
    message = message.replace("\u0000", "");
    message = message.length() > MAX_MESSAGE ? message.substring(0, MAX_MESSAGE) : message;
  }
}
