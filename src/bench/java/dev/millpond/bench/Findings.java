package dev.millpond.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What an experiment found: a table for people, with what was promised, and rows for programs. */
final class Findings {

  private final Path directory;
  private final String name;
  private final List<String> csv = new ArrayList<>();
  private final List<String> table = new ArrayList<>();

  Findings(Path directory, String name, String columns) {
    this.directory = directory;
    this.name = name;
    csv.add(columns);
    table.add("| " + name + " | promised | measured |\n|---|---|---|");
  }

  /** A row of the CSV. */
  void row(Object... values) {
    List<String> texts = new ArrayList<>();
    for (Object value : values) {
      texts.add(value instanceof Double number ? text(number) : value.toString());
    }
    csv.add(String.join(",", texts));
    System.out.println("· " + name + ": " + String.join(", ", texts));
  }

  void atMost(String what, double bound, double measured) {
    judge(what, "≤ " + text(bound), measured, measured <= bound);
  }

  void atLeast(String what, double bound, double measured) {
    judge(what, "≥ " + text(bound), measured, measured >= bound);
  }

  void tell(String what, double measured) {
    judge(what, "", measured, true);
  }

  private void judge(String what, String promise, double measured, boolean kept) {
    table.add(
        "| %s | %s | %s%s |".formatted(what, promise, text(measured), kept ? "" : " **missed**"));
  }

  void chart(Chart chart) throws IOException {
    chart.write(directory.resolve(name + ".svg"));
  }

  /** Prints the table and writes the rows. */
  void write() throws IOException {
    System.out.println("\n" + String.join("\n", table) + "\n");
    Files.createDirectories(directory);
    Files.write(directory.resolve(name + ".csv"), csv);
  }

  private static String text(double value) {
    return Math.abs(value) >= 1_000 || value == Math.rint(value)
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}
