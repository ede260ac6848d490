package dev.millpond.handler;

import dev.millpond.job.Predecessor;
import java.util.UUID;
import java.util.stream.Stream;
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
   * The jobs on which this one depends, in the order in which it names them, each with how it ended
   * and its result. Read from the database while the stream is, some at a time: it may be used
   * once, and fails as any statement may if the database is away. None for a job that depends on
   * nothing.
   */
  Stream<Predecessor> predecessors();

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
