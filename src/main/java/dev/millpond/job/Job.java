package dev.millpond.job;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job as its rows say it at one moment.
 *
 * @param payload JSON as it was sent; null for none
 * @param runAt when it may start, or may start again
 * @param attempt how often it has started
 * @param recoveries how many of these starts ended with the death of their worker; they use up no
 *     attempt
 * @param startedAt its first start
 * @param lastAttempt the attempt that runs or that ended the job; null while it waits
 * @param error why it failed, or which predecessor had it cancelled; null in every other state
 * @param rank its place among the runnable jobs of its priority: when it became runnable, in
 *     microseconds since 1970; null unless it is queued, and while it waits for its key
 * @param version rises with every change of state, progress or result, and only then
 * @param tenant for whom it is; null for nobody in particular
 * @param callback the URL that is told of its end; null for none
 * @param concurrency with which others it does not run at once; null for none
 * @param dependsOn the jobs that it waits for, or waited for, in the order in which it names them
 * @param runAnyway whether it is to run if one of these does not succeed, too
 */
public record Job(
    UUID id,
    String queue,
    String type,
    JobState state,
    int priority,
    @Nullable String payload,
    @Nullable String result,
    @Nullable JobError error,
    int attempt,
    int maxAttempts,
    int recoveries,
    @Nullable Progress progress,
    Instant runAt,
    @Nullable Instant startBy,
    Duration timeout,
    @Nullable Instant startedAt,
    @Nullable Instant finishedAt,
    @Nullable Attempt lastAttempt,
    @Nullable Long rank,
    int version,
    Map<String, String> labels,
    @Nullable String tenant,
    @Nullable String callback,
    @Nullable Concurrency concurrency,
    List<UUID> dependsOn,
    boolean runAnyway) {

  /** When it was submitted: the id says so. */
  public Instant submittedAt() {
    return JobIds.submittedAt(id);
  }
}
