package dev.millpond.rest;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** Words of clients, quoted in answers, and the known word that was probably meant. */
final class Words {

  private static final int LONGEST_QUOTE = 64;

  private Words() {}

  /** The word in quotes, cut if it is long. */
  static String quote(String word) {
    return '"'
        + JsonText.shown(
            word.length() <= LONGEST_QUOTE ? word : word.substring(0, LONGEST_QUOTE) + "…")
        + '"';
  }

  /** The end of a sentence that names the closest known word, or nothing but its full stop. */
  static String didYouMean(String word, Collection<String> known) {
    if (word.length() > LONGEST_QUOTE) {
      return ".";
    }
    String lower = word.toLowerCase(Locale.ROOT);
    return known.stream()
        .filter(candidate -> distance(lower, candidate.toLowerCase(Locale.ROOT)) <= 2)
        .min(
            Comparator.comparingInt(
                candidate -> distance(lower, candidate.toLowerCase(Locale.ROOT))))
        .map(closest -> "; did you mean " + quote(closest) + "?")
        .orElse(".");
  }

  /** The Levenshtein distance: single characters to insert, delete or replace. */
  static int distance(String from, String to) {
    int[] row = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }
}
