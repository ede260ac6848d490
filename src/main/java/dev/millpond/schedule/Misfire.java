package dev.millpond.schedule;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What becomes of due times that passed while no node could fire. */
public enum Misfire {
  /** Nothing. */
  SKIP,
  /** The last of them fires, for all. */
  ONCE,
  /** Each fires, in order; of more than {@link Plan#MOST} the last ones. */
  ALL;

  /** The spelling in JSON and SQL: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** All spellings. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Misfire::label).toList();
  }

  /** The policy with this spelling. */
  public static Optional<Misfire> of(String label) {
    return Arrays.stream(values()).filter(policy -> policy.label().equals(label)).findFirst();
  }
}
