package dev.millpond.admission;

import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * That at most one job of a queue holds a key.
 *
 * @param key 1 to 255 characters
 * @param until what frees the key
 * @param lasts for how long from the submit it is held; null unless that is what frees it
 */
public record Unique(String key, Until until, @Nullable Duration lasts, OnConflict onConflict) {

  /** How many characters a key has at most. */
  public static final int LONGEST = 255;

  /** What frees a key. */
  public enum Until {
    /** The job's first start. */
    STARTED,
    /** The job's end, whatever it is. */
    FINISHED,
    /** Time alone. */
    EXPIRED;

    /** Its name in the database. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What becomes of a job whose key another one holds. */
  public enum OnConflict {
    /** The other one is the answer. */
    EXISTING,
    /** It is refused. */
    REJECT,
    /** The other one becomes what this one was to be, if it waits; else this one is refused. */
    REPLACE
  }
}
