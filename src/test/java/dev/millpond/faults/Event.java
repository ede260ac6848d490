package dev.millpond.faults;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Something that was seen from outside the service, at a time in seconds since the start. */
sealed interface Event {

  double at();

  /** A client sends a job for the first time; its key stays the same however often it repeats. */
  record Submitted(double at, String key) implements Event {}

  /** The service answered that it accepted the job. */
  record Acknowledged(double at, String key, UUID id) implements Event {}

  /**
   * The service answered that it did not.
   *
   * @param problem the last part of the problem's type; empty where there was no problem document
   * @param retryAfter the header as it came; empty where there was none
   */
  record Refused(double at, String key, int status, String problem, String retryAfter)
      implements Event {}

  /** No answer came, or one that leaves it open: the job may exist or not. */
  record Unknown(double at, String key, String why) implements Event {}

  /**
   * A client asked for a job.
   *
   * @param first right after the answer that acknowledged it
   */
  record Seen(
      double at, String client, UUID id, boolean first, int status, String state, long version)
      implements Event {}

  /**
   * A handler's effect outside the service.
   *
   * @param at when it began
   * @param ended null if it never did
   */
  record Effect(double at, @Nullable Double ended, UUID job, int attempt, int number)
      implements Event {}

  /** Somebody asked for a job to start before its time. */
  record Hurried(double at, UUID id) implements Event {}

  /**
   * Something was broken on purpose.
   *
   * @param node whose process was dead meanwhile; null where no process died
   */
  record Fault(double at, double healed, String what, @Nullable String node) implements Event {

    /** A process that stands still, and goes on. */
    static final String STANDSTILL = "stopped";
  }

  /**
   * How much waited in the database.
   *
   * @param depth jobs that wait
   * @param fresh of these, the ones that did not come back
   * @param oldest seconds since the oldest runnable job became so; 0 where none is
   */
  record Sampled(double at, long depth, long fresh, double oldest) implements Event {}
}
