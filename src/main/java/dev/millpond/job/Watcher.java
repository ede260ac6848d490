package dev.millpond.job;

import java.util.List;
import java.util.Optional;

/**
 * Somebody who wants to know how a job goes on. One thread tells all of them, so none may keep it.
 */
public interface Watcher {

  /**
   * The job as it is: changed since the last time, or looked at again because that was asked for.
   *
   * @param job empty if it is not there, or no longer
   * @param lines what was logged after {@link #read}, the first of it
   */
  void see(Optional<Job> job, List<LogEntry> lines);

  /** It could not be read. If it has changed, that is found again. */
  void miss(RuntimeException why);

  /** The service stops, and nothing more is told unless it is asked for. */
  void stop();

  /** How far it has read the job's log; empty if it reads none. */
  default Optional<LogPosition> read() {
    return Optional.empty();
  }
}
