package dev.millpond.testing;

import org.junit.jupiter.api.Assumptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a test says that this machine lacks what it needs: in the log, not only in a report. */
public final class Skipped {

  private static final Logger log = LoggerFactory.getLogger(Skipped.class);

  private Skipped() {}

  /**
   * Ends the test as skipped if the condition does not hold.
   *
   * @param reason what is missing, and what was not tested therefore
   */
  public static void unless(boolean condition, String reason) {
    if (!condition) {
      log.warn("SKIPPED: {}", reason);
    }
    Assumptions.assumeTrue(condition, reason);
  }
}
