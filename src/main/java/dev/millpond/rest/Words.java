package dev.millpond.rest;

import dev.millpond.handler.Spelling;
import java.util.Collection;

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
    return Spelling.nearest(word, known)
        .map(closest -> "; did you mean " + quote(closest) + "?")
        .orElse(".");
  }
}
