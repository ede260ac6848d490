package dev.millpond.queue;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Which workers may claim the jobs of a queue. */
public enum Workers {
  /** Those in the service. */
  SERVICE,
  /** Those over HTTP. */
  PULL,
  /** Each of them, the service's only for the types that they have handlers for. */
  BOTH;

  /** Whether workers over HTTP may claim. */
  public boolean mayPull() {
    return this != SERVICE;
  }

  /** The spelling in JSON and SQL: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** All spellings. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Workers::label).toList();
  }

  /** The workers with this spelling. */
  public static Optional<Workers> of(String label) {
    return Arrays.stream(values()).filter(workers -> workers.label().equals(label)).findFirst();
  }
}
