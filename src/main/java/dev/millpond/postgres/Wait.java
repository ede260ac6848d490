package dev.millpond.postgres;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for other processes, which only polling can do where they are not our children. */
final class Wait {

  private static final Duration POLL = Duration.ofMillis(20);

  private Wait() {}

  /** False if the time is up or the thread is interrupted before the condition holds. */
  static boolean until(Duration atMost, BooleanSupplier condition) {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline >= 0 || !pause(POLL)) {
        return false;
      }
    }
    return true;
  }

  /** False if the thread is interrupted, and then it stays marked so. */
  static boolean pause(Duration time) {
    try {
      Thread.sleep(time);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
