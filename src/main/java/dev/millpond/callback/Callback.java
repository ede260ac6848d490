package dev.millpond.callback;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.millpond.job.JobError;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Who is told of a job's end, and how far that is.
 *
 * @param nextAttemptAt when the next call may be made; null while one is being made, or if there is
 *     none to come
 * @param attempts the calls that told of this end of the job, in order
 */
public record Callback(
    String url, State state, @Nullable Instant nextAttemptAt, List<Attempt> attempts) {

  /** How far it is. */
  public enum State {
    /** The job has not finished. */
    WAITING,
    /** The job has finished, and the target has not taken it yet. */
    PENDING,
    /** The target has taken it. */
    DELIVERED,
    /** Given up: the target is gone or not allowed, or has failed too often. */
    FAILED;

    /** The spelling in JSON. */
    @JsonValue
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A call that was made.
   *
   * @param number from 1; one that is missing was lost with its node
   * @param status the target's answer; null if there was none
   * @param error null if the target has taken it
   */
  public record Attempt(
      int number,
      Instant startedAt,
      Instant finishedAt,
      @Nullable Integer status,
      @Nullable JobError error) {}
}
