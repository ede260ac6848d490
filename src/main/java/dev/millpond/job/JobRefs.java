package dev.millpond.job;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Some of the jobs that a filter names, newest first, without what is in them.
 *
 * @param jobs may be fewer than asked for, and even none, while there are more
 * @param next the next ones are below this id; null after the last
 */
public record JobRefs(List<JobRef> jobs, @Nullable UUID next) {

  /** A job, and for whom it is. */
  public record JobRef(UUID id, @Nullable String tenant) {}
}
