package dev.millpond.admission;

import dev.millpond.job.Job;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What became of a submit. */
public sealed interface Decision {

  /** Committed: these are the jobs as they were written, in the order of the request. */
  record Accepted(List<Job> jobs) implements Decision {}

  /**
   * Committed, and some of the jobs are others that hold their unique keys, or were refused by
   * themselves because of those: what became of each, in the order of the request.
   */
  record Merged(List<Placed> jobs) implements Decision {}

  /**
   * The same request with the same key was accepted before, as these jobs; null in the place of one
   * that was refused.
   *
   * @param merged those that were there already
   */
  record Replayed(List<@Nullable UUID> ids, Set<UUID> merged) implements Decision {}

  /** Sent away. Nothing was accepted, but for {@link OutcomeUnknown}. */
  sealed interface Refused extends Decision {}

  /** The key was used for another request. */
  record KeyReused() implements Refused {}

  /** The first request with the key is not decided yet. */
  record KeyInFlight() implements Refused {}

  /**
   * Another job holds a unique key.
   *
   * @param place of the first such job in the request
   * @param holder null if it is a job of this very request
   */
  record Duplicate(int place, @Nullable UUID holder) implements Refused {}

  /** No room. */
  record Full(Refusal refusal) implements Refused, Verdict {}

  /** More jobs than the queue's cap: they would never be accepted together. */
  record BatchExceedsCap(int cap) implements Refused {}

  /**
   * The job would start later than its startBy.
   *
   * @param estimatedWait how long a job admitted now would wait
   * @param retryAfter after which time another try could succeed; null if none before startBy could
   */
  record DeadlineUnreachable(Duration estimatedWait, @Nullable Duration retryAfter)
      implements Refused {}

  /**
   * The queue is nearly full, and the tenant has its share of it.
   *
   * @param refusal how full the queue is, and when to come back
   * @param tenant null for jobs without one
   * @param tenantDepth how many jobs of the tenant wait
   * @param share how many of a tenant may while the queue is nearly full
   */
  record TenantOverShare(Refusal refusal, @Nullable String tenant, int tenantDepth, int share)
      implements Refused, Verdict {}

  /**
   * Jobs name predecessors that are not there: they were removed, or never existed.
   *
   * @param ids of these predecessors
   */
  record PredecessorsGone(Set<UUID> ids) implements Refused {}

  /** Too much waits to be written. */
  record Overloaded() implements Refused {}

  /** The commit was sent and its answer never came: the jobs may exist. */
  record OutcomeUnknown() implements Refused {}
}
