package dev.millpond.callback;

import dev.millpond.job.Job;

/**
 * What a target is sent of a finished job. The API says it: the job is as a client reads it there.
 */
public interface Notice {

  /** The JSON, in UTF-8; the same each time, as long as the job is not sent back. */
  byte[] of(Job job);
}
