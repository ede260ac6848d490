package dev.millpond.job;

import static java.util.stream.Collectors.toUnmodifiableSet;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * The states of a job and the table of allowed changes. A waiting job lies in {@code ready} or
 * {@code delayed}, a leased one in {@code lease}, a final one in {@code finished}: the state is the
 * table that the job is in.
 */
public enum JobState {
  /** Waits for its {@code runAt}. */
  SCHEDULED,
  /** Waits for other jobs to end. */
  BLOCKED,
  /** May start as soon as a slot is free. */
  QUEUED,
  /** A worker holds its lease. */
  RUNNING,
  /** Asked to stop while running, and not yet confirmed by its worker. */
  CANCELLING,
  /** Failed, and waits for its next attempt. */
  RETRYING,
  /** Final: its handler returned. */
  SUCCEEDED,
  /** Final: attempts used up, or a permanent error. These are the dead letters. */
  FAILED,
  /** Final: cancelled before or while it ran. */
  CANCELLED,
  /** Final: its {@code startBy} passed before it started. */
  EXPIRED;

  /** Whether a job may change from this state to the other in one step. */
  public boolean mayBecome(JobState next) {
    return next().contains(next);
  }

  /** Those in which nothing more happens to a job by itself. */
  public static final Set<JobState> FINAL =
      Arrays.stream(values()).filter(JobState::isFinal).collect(toUnmodifiableSet());

  private Set<JobState> next() {
    return switch (this) {
      case SCHEDULED -> EnumSet.of(QUEUED, CANCELLED, EXPIRED);
      case BLOCKED -> EnumSet.of(QUEUED, SCHEDULED, CANCELLED, EXPIRED);
      case QUEUED -> EnumSet.of(RUNNING, CANCELLED, EXPIRED);
      // Back to a waiting state when the worker gives it back, dies or fails.
      case RUNNING -> EnumSet.of(SUCCEEDED, FAILED, RETRYING, SCHEDULED, QUEUED, CANCELLING);
      case CANCELLING -> EnumSet.of(SUCCEEDED, CANCELLED);
      case RETRYING -> EnumSet.of(QUEUED, CANCELLED);
      // A redrive is the only way out of a final state; it may be spread over some time.
      case SUCCEEDED, FAILED, CANCELLED, EXPIRED -> EnumSet.of(QUEUED, RETRYING, SCHEDULED);
    };
  }

  /** Whether nothing more happens to the job by itself. */
  public boolean isFinal() {
    return switch (this) {
      case SUCCEEDED, FAILED, CANCELLED, EXPIRED -> true;
      case SCHEDULED, BLOCKED, QUEUED, RUNNING, CANCELLING, RETRYING -> false;
    };
  }

  /** The spelling in JSON and SQL: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** All spellings. */
  public static Set<String> labels() {
    return Arrays.stream(values()).map(JobState::label).collect(toUnmodifiableSet());
  }

  /**
   * The state with this spelling.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static JobState of(String label) {
    return valueOf(label.toUpperCase(Locale.ROOT));
  }
}
