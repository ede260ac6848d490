package dev.millpond.admission;

import dev.millpond.job.Concurrency;
import dev.millpond.queue.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One job as it was asked for, already checked: every value is in its range.
 *
 * @param payload the payload's JSON exactly as it was sent; null for none
 * @param priority 0 to 9, 9 first
 * @param delay how long from now it may start; null for at once, or if {@code runAt} says when
 * @param runAt when it may start; null for at once, or if {@code delay} says when
 * @param startBy until when its first start must come; null for no bound
 * @param timeout how long an attempt may take
 * @param tenant for whom it is; null for nobody in particular
 * @param traceparent the W3C trace context of the submit; null for none
 * @param callback the URL that is told of the job's end; null for none
 * @param unique the key that at most one job of the queue holds; null for none
 * @param concurrency with which others it does not run at once; null for none
 * @param dependsOn which jobs must have ended before it starts
 */
public record Submission(
    String type,
    @Nullable String payload,
    int priority,
    @Nullable Duration delay,
    @Nullable Instant runAt,
    @Nullable Instant startBy,
    Duration timeout,
    RetryPolicy retry,
    @Nullable String tenant,
    Map<String, String> labels,
    @Nullable String traceparent,
    @Nullable String callback,
    @Nullable Unique unique,
    @Nullable Concurrency concurrency,
    DependsOn dependsOn) {

  /** The same with more labels. */
  public Submission labelled(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(labels);
    all.putAll(more);
    return with(all, traceparent, dependsOn);
  }

  /** The same after others. */
  public Submission dependingOn(DependsOn others) {
    return with(labels, traceparent, others);
  }

  /** The same in a trace. */
  public Submission traced(@Nullable String trace) {
    return with(labels, trace, dependsOn);
  }

  private Submission with(
      Map<String, String> otherLabels, @Nullable String trace, DependsOn predecessors) {
    return new Submission(
        type,
        payload,
        priority,
        delay,
        runAt,
        startBy,
        timeout,
        retry,
        tenant,
        otherLabels,
        trace,
        callback,
        unique,
        concurrency,
        predecessors);
  }

  /** Whether it names jobs that it waits for. */
  boolean isDependent() {
    return !dependsOn.predecessors().isEmpty();
  }

  /** Whether it waits for no time. */
  boolean isForNow() {
    return delay == null && runAt == null && !isDependent();
  }

  /** Whether it waits for nothing but a slot. */
  boolean isRunnable() {
    return isForNow() && concurrency == null;
  }
}
