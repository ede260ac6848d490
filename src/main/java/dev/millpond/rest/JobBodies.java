package dev.millpond.rest;

import dev.millpond.admission.Permits;
import dev.millpond.callback.Callback;
import dev.millpond.callback.Callbacks;
import dev.millpond.job.Attempt;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.Job;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.LogLine;
import dev.millpond.lease.Lease;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.Workers;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;

/** Makes answers of jobs: what the row says, and what this node estimates. */
@Component
final class JobBodies {

  /** To this position the estimate is told as it is, beyond it with two digits. */
  private static final int EXACT = 100;

  /** In seconds: a job may start before its estimate. */
  private static final int MAX_RETRY_AFTER = 60;

  private final Jobs jobs;
  private final Queues queues;
  private final Permits permits;
  private final Callbacks callbacks;
  private final DatabaseClock clock;

  JobBodies(Jobs jobs, Queues queues, Permits permits, Callbacks callbacks, DatabaseClock clock) {
    this.jobs = jobs;
    this.queues = queues;
    this.permits = permits;
    this.callbacks = callbacks;
    this.clock = clock;
  }

  /** What an answer may leave out. */
  enum Part {
    PAYLOAD,
    RESULT,
    ATTEMPTS,
    LOG,
    CALLBACK,
    DEPENDENCIES
  }

  /** A job with all but its log. */
  JobBody whole(Job job) {
    return body(
        job,
        EnumSet.of(Part.PAYLOAD, Part.RESULT, Part.ATTEMPTS, Part.CALLBACK, Part.DEPENDENCIES));
  }

  /** A job with all that its worker needs. */
  JobBody leased(Job job, Lease lease) {
    return body(
        job,
        EnumSet.of(Part.PAYLOAD, Part.RESULT, Part.ATTEMPTS, Part.DEPENDENCIES),
        new JobBody.Held(lease.token(), lease.expiresAt()));
  }

  /** A job with the parts that are named. */
  JobBody body(Job job, Set<Part> parts) {
    return body(job, parts, null);
  }

  private JobBody body(Job job, Set<Part> parts, JobBody.@Nullable Held lease) {
    Integer position = position(job);
    List<Attempt> attempts = parts.contains(Part.ATTEMPTS) ? jobs.attempts(job) : null;
    Callback callback = parts.contains(Part.CALLBACK) ? callbacks.find(job).orElse(null) : null;
    List<LogLine> log = parts.contains(Part.LOG) ? jobs.log(job.id()) : null;
    boolean depends = parts.contains(Part.DEPENDENCIES) && !job.dependsOn().isEmpty();
    return new JobBody(
        job.id(),
        job.queue(),
        job.type(),
        job.state().label(),
        reason(job),
        job.priority(),
        parts.contains(Part.PAYLOAD) ? orNull(job.payload()) : null,
        parts.contains(Part.RESULT) ? orNull(job.result()) : null,
        job.error(),
        job.attempt(),
        job.maxAttempts(),
        job.recoveries(),
        job.progress(),
        job.submittedAt(),
        job.runAt(),
        job.startBy(),
        job.timeout(),
        job.startedAt(),
        job.finishedAt(),
        position,
        estimatedStartAt(job, position),
        job.version(),
        job.labels(),
        job.tenant(),
        job.concurrency(),
        attempts,
        log,
        callback,
        depends ? job.dependsOn() : null,
        depends ? OnDependencyFailure.of(job.runAnyway()) : null,
        lease,
        links(job));
  }

  private static String orNull(@Nullable String json) {
    return json == null ? "null" : json;
  }

  private @Nullable String reason(Job job) {
    return switch (job.state()) {
      case SCHEDULED, RETRYING -> "time";
      case BLOCKED -> "dependency";
      case QUEUED ->
          job.rank() == null
              ? "concurrency-key"
              : queues.find(new QueueName(job.queue())).map(JobBodies::reason).orElse("slot");
      case RUNNING, CANCELLING, SUCCEEDED, FAILED, CANCELLED, EXPIRED -> null;
    };
  }

  private static String reason(Queue queue) {
    if (queue.paused()) {
      return "paused";
    }
    if (queue.rateLimit() != null) {
      return "rate-limit";
    }
    return queue.concurrency() != null
        ? "concurrency"
        : queue.workers() == Workers.PULL ? "worker" : "slot";
  }

  private @Nullable Integer position(Job job) {
    if (job.rank() == null) {
      return null;
    }
    Duration waited = Duration.between(job.runAt(), clock.now());
    int position = permits.ahead(new QueueName(job.queue()), waited) + 1;
    if (position <= EXACT) {
      return position;
    }
    int step = (int) Math.pow(10, Math.floor(Math.log10(position)) - 1);
    return position / step * step;
  }

  private @Nullable Instant estimatedStartAt(Job job, @Nullable Integer position) {
    return switch (job.state()) {
      case SCHEDULED, RETRYING -> job.runAt();
      case QUEUED -> {
        double rate = permits.drainRate(new QueueName(job.queue())).orElse(0);
        yield position == null || rate == 0 || queues.isPaused(new QueueName(job.queue()))
            ? null
            : clock
                .now()
                .plusMillis((long) (1_000 * position / rate))
                .truncatedTo(ChronoUnit.MILLIS);
      }
      case BLOCKED, RUNNING, CANCELLING, SUCCEEDED, FAILED, CANCELLED, EXPIRED -> null;
    };
  }

  private static Map<String, String> links(Job job) {
    String self = "/v1/jobs/" + job.id();
    Map<String, String> links = new LinkedHashMap<>();
    links.put("self", self);
    links.put("events", self + "/events");
    links.put("cancel", self + "/cancel");
    links.put("retry", self + "/retry");
    links.put("log", self + "/log");
    links.put("graph", self + "/graph");
    return links;
  }

  /** Tells when asking again makes sense, unless nothing more will change. */
  void retryAfter(JobBody body, HttpHeaders headers) {
    if (!JobState.of(body.state()).isFinal()) {
      Instant next = body.estimatedStartAt();
      long wait = next == null ? 1 : Duration.between(clock.now(), next).toSeconds();
      headers.set(HttpHeaders.RETRY_AFTER, Integer.toString(Math.clamp(wait, 1, MAX_RETRY_AFTER)));
    }
  }
}
