package dev.millpond.rest;

import java.util.Optional;

/** What becomes of a job if one that it depends on does not succeed, in the words of the API. */
final class OnDependencyFailure {

  private static final String CANCEL = "cancel";
  private static final String RUN = "run";

  private OnDependencyFailure() {}

  static String of(boolean runAnyway) {
    return runAnyway ? RUN : CANCEL;
  }

  /** Whether the job is to run anyway; empty if the text is none of the words. */
  static Optional<Boolean> parse(String text) {
    return text.equals(RUN) || text.equals(CANCEL)
        ? Optional.of(text.equals(RUN))
        : Optional.empty();
  }
}
