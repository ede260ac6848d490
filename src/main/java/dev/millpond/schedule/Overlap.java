package dev.millpond.schedule;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What becomes of a due time while the job of the one before is not final. */
public enum Overlap {
  /** It fires. */
  ALLOW,
  /** It does not. */
  SKIP;

  /** The spelling in JSON and SQL: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** All spellings. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Overlap::label).toList();
  }

  /** The policy with this spelling. */
  public static Optional<Overlap> of(String label) {
    return Arrays.stream(values()).filter(policy -> policy.label().equals(label)).findFirst();
  }
}
