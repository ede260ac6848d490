package dev.millpond.faults;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The table of what was survived, written anew after each trial. */
final class Reliability {

  private static final Path FILE = Path.of("target", "faults", "reliability.md");

  private static final Map<String, Line> lines = new LinkedHashMap<>();
  private static final Map<String, Total> totals = new LinkedHashMap<>();

  private record Line(
      String fault, String what, int runs, long acknowledged, double broken, double recovery) {

    Line and(Line other) {
      return new Line(
          fault,
          what,
          runs + other.runs,
          acknowledged + other.acknowledged,
          broken + other.broken,
          Math.max(recovery, other.recovery));
    }
  }

  private record Total(String what, double value, boolean isTarget) {

    Total and(Total other) {
      return new Total(
          what, isTarget ? value + other.value : Math.max(value, other.value), isTarget);
    }
  }

  private Reliability() {}

  static synchronized void tell(String fault, String what, long acknowledged, List<Count> counts) {
    double broken = counts.stream().filter(Count::isBroken).mapToDouble(Count::value).sum();
    double recovery =
        counts.stream().filter(count -> count.name().equals("I15")).mapToDouble(Count::value).sum();
    lines.merge(fault + what, new Line(fault, what, 1, acknowledged, broken, recovery), Line::and);
    for (Count count : counts) {
      boolean summed = !count.name().equals("I15");
      totals.merge(count.name(), new Total(count.what(), count.value(), summed), Total::and);
    }
    write();
  }

  private static void write() {
    String faults =
        lines.values().stream()
            .map(
                line ->
                    "| %s | %s | %d | %d | %.0f | %.1f s |"
                        .formatted(
                            line.fault,
                            line.what,
                            line.runs,
                            line.acknowledged,
                            line.broken,
                            line.recovery))
            .collect(joining("\n"));
    String invariants =
        totals.entrySet().stream()
            .map(
                total ->
                    String.format(
                        Locale.ROOT,
                        total.getValue().isTarget
                            ? "| %s | %s | %.0f |"
                            : "| %s | %s | at most %.1f |",
                        total.getKey(),
                        total.getValue().what,
                        total.getValue().value))
            .collect(joining("\n"));
    try {
      Files.createDirectories(FILE.toAbsolutePath().getParent());
      Files.writeString(
          FILE,
          """
          | fault | what was done | runs | jobs acknowledged | invariants broken | slowest recovery |
          |---|---|---|---|---|---|
          %s

          | invariant | counted over all of them | how often |
          |---|---|---|
          %s
          """
              .formatted(faults, invariants));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
