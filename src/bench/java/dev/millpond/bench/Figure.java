package dev.millpond.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One line of the table.
 *
 * @param target the bound that the median must stay under; NaN for a figure that only informs
 * @param measured one value a repetition
 */
record Figure(String what, double target, String unit, List<Double> measured) {

  static Figure under(String what, double target, String unit, List<Double> measured) {
    return new Figure(what, target, unit, measured);
  }

  static Figure informative(String what, String unit, List<Double> measured) {
    return new Figure(what, Double.NaN, unit, measured);
  }

  double median() {
    List<Double> sorted = measured.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  String row() {
    String each = measured.stream().map(Figure::number).collect(Collectors.joining(", "));
    String promise =
        Double.isNaN(target)
            ? ""
            : "< %s %s%s".formatted(number(target), unit, median() < target ? "" : " **missed**");
    return "| %s | %s | %s %s | %s |".formatted(what, promise, number(median()), unit, each);
  }

  private static String number(double value) {
    return value >= 1_000
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, "%.3g", value)
            .replaceFirst("(\\.\\d*?)0+$", "$1")
            .replaceFirst("\\.$", "");
  }
}
