package dev.millpond.faults;

import java.time.Duration;
import java.util.List;

/** How long the slower ones of many took. */
final class Percentile {

  private Percentile() {}

  /**
   * What a part of them did not exceed.
   *
   * @param part 0 to 1
   */
  static Duration of(List<Duration> durations, double part) {
    return durations.stream()
        .sorted()
        .skip((long) (part * (durations.size() - 1)))
        .findFirst()
        .orElseThrow();
  }
}
