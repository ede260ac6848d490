package dev.millpond.job;

/**
 * Why an attempt failed, or a job was cancelled by what it depends on.
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

  /** A job on which this one depends has not succeeded: it was cancelled before it started. */
  public static final String DEPENDENCY_FAILED = "dependency-failed";

  private static final int MAX_MESSAGE = 4_000;

  public JobError {
    // PostgreSQL's text has no NUL, and a handler's message may quote anything.
    type = type.replace("\u0000", "");
    message = message.replace("\u0000", "");
    message = message.length() > MAX_MESSAGE ? message.substring(0, MAX_MESSAGE) : message;
  }
}
