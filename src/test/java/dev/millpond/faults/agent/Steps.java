package dev.millpond.faults.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** What a changed method calls. Public, since it is called from the service's own classes. */
public final class Steps {

  /** The exit code of a process that was halted here. */
  public static final int HALTED = 86;

  private static final Map<String, AtomicInteger> passed = new ConcurrentHashMap<>();

  /** Set once by the agent, before any changed class runs. */
  private static volatile Path armed = Path.of("");

  private static volatile Random random = new Random(0);

  private Steps() {}

  static void arm(Path file, long seed) {
    armed = file;
    random = new Random(seed);
  }

  /**
   * Halts the process, as a crash would, when a step is passed for the n-th time. Once: whoever
   * starts again is not armed.
   */
  public static void halt(String change, int n) throws IOException {
    if (isArmed(change)
        && passed.computeIfAbsent(change, _ -> new AtomicInteger()).incrementAndGet() == n) {
      try {
        Files.delete(armed);
      } finally {
        Runtime.getRuntime().halt(HALTED);
      }
    }
  }

  /**
   * Fails as a driver does that has lost its connection.
   *
   * @param percent of the calls
   */
  public static void fail(String change, int percent) throws SQLException {
    if (isArmed(change) && random.nextInt(100) < percent) {
      throw new SQLException("broken on purpose", "08006");
    }
  }

  private static boolean isArmed(String change) {
    try {
      return Files.exists(armed) && Files.readString(armed).equals(change);
    } catch (IOException gone) {
      return false;
    }
  }
}
