package dev.millpond.audit;

import dev.millpond.job.JobIds;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One change by an operator.
 *
 * @param action what was asked for, such as {@code queue.pause}
 * @param schedule the schedule, if it is that which was changed; null for the queue or its jobs
 * @param client the address that it was asked from
 * @param request its body, JSON as it was sent; null for none
 * @param outcome what came of it, as JSON; null while it is at work, or if it was cut short
 */
public record AuditLine(
    UUID id,
    String action,
    String queue,
    @Nullable String schedule,
    String client,
    @Nullable String request,
    @Nullable String outcome) {

  /** When it was asked for: the id says so. */
  public Instant at() {
    return JobIds.submittedAt(id);
  }
}
