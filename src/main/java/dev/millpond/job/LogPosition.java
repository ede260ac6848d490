package dev.millpond.job;

/**
 * How far somebody has read a job's log.
 *
 * @param attempt whose line was read last; 0 before the first line
 * @param number of that line in its attempt
 */
public record LogPosition(int attempt, long number) {

  /** Before the first line. */
  public static final LogPosition START = new LogPosition(0, 0);
}
