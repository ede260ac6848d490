package dev.millpond.handler;

import static java.util.Comparator.comparingInt;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Guesses what a misspelt name was meant to be, in payloads and in requests alike. */
public final class Spelling {

  /** More slips than this, or than half of the name, make it another name. */
  private static final int MAX_SLIPS = 2;

  private Spelling() {}

  /** What to say of a field that is not among the known ones. */
  static String unknownField(String name, Collection<?> known) {
    List<String> names = known.stream().map(Object::toString).sorted().toList();
    if (names.isEmpty()) {
      return "is unknown: no fields are known here";
    }
    return nearest(name, names)
        .map(nearest -> "is unknown: did you mean \"" + nearest + "\"?")
        .orElseGet(() -> "is unknown: known are " + String.join(", ", names));
  }

  /** The known name that was probably meant; empty if none is near enough. */
  public static Optional<String> nearest(String name, Collection<String> known) {
    return known.stream()
        .filter(candidate -> slips(name, candidate) <= Math.min(MAX_SLIPS, name.length() / 2))
        .min(comparingInt(candidate -> slips(name, candidate)));
  }

  /** Levenshtein's distance, without regard to case. */
  private static int slips(String name, String other) {
    String a = name.toLowerCase(Locale.ROOT);
    String b = other.toLowerCase(Locale.ROOT);
    if (Math.abs(a.length() - b.length()) > MAX_SLIPS) {
      return Integer.MAX_VALUE;
    }
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
