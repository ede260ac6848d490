package dev.millpond.schedule;

import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What became of a due time, or of a trigger by hand.
 *
 * @param triggered by hand, off the calendar
 * @param job that was submitted; null if none was
 * @param reason why none was, or not yet: a word for programs; null else
 * @param decidedAt null while it is open
 */
public record Firing(
    Instant dueAt,
    boolean triggered,
    State state,
    @Nullable UUID job,
    @Nullable String reason,
    @Nullable Instant decidedAt) {

  /** How it stands. */
  public enum State {
    /** A node is at it, or waits for room in the queue. */
    OPEN,
    /** Its job was accepted. */
    FIRED,
    /** It came too late, or found no room before the next due time. */
    MISSED,
    /** The job of the firing before was not final. */
    SKIPPED;

    /** The spelling in JSON and SQL: lower case. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The state with this spelling.
     *
     * @throws IllegalArgumentException if there is none
     */
    static State of(String label) {
      return valueOf(label.toUpperCase(Locale.ROOT));
    }
  }
}
