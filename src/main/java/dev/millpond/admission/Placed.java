package dev.millpond.admission;

import java.util.Locale;
import java.util.UUID;

/**
 * What became of one job of a submit in which somebody has a unique key.
 *
 * @param id of the job that holds the key; of the job itself, if it has none
 */
public record Placed(As as, UUID id) {

  /** What it came to. */
  public enum As {
    /** It was written. */
    WRITTEN,
    /** The job that holds its key is there instead. */
    EXISTING,
    /** The job that holds its key does its work now. */
    REPLACED,
    /** It was refused because of the job that holds its key. */
    DUPLICATE;

    /** Its name in answers. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
