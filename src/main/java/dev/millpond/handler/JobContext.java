package dev.millpond.handler;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a running handler knows of its job and can tell about it. All methods may be called from any
 * thread.
 */
public interface JobContext {

  /** The job's id: the same at every attempt. */
  UUID id();

  /** The number of this attempt, from 1. */
  int attempt();

  /**
   * The W3C trace context of the submit, to be continued by calls that the handler makes; null for
   * none.
   */
  @Nullable String traceparent();

  /**
   * Reports how far the work is. Never blocks; written at most once a second, the latest report
   * wins.
   *
   * @param percent 0 to 100; values outside are brought to the nearer bound
   * @param message what is being done, at most 255 characters; longer ones are cut
   */
  void progress(int percent, String message);

  /**
   * Adds a line to the job's log. Never blocks. Lines beyond 1,000 or 64 KiB of one attempt are
   * dropped, and said so.
   */
  void log(String line);

  /**
   * Whether the job was asked to cancel: the handler should stop soon. Its thread is interrupted as
   * well.
   */
  boolean cancelRequested();
}
