package dev.millpond.rest;

import dev.millpond.admission.Permits;
import dev.millpond.admission.Redrives;
import dev.millpond.job.JobFilter;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.rest.BulkChange.Done;
import dev.millpond.rest.BulkDraft.Kind;
import dev.millpond.rest.BulkDraft.Wish;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** What operators do to many jobs of a queue at once. */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class BulkController {

  /** All that wait in a queue. */
  private static final List<JobState> WAITING =
      List.of(JobState.BLOCKED, JobState.SCHEDULED, JobState.RETRYING, JobState.QUEUED);

  private final Queues queues;
  private final Jobs jobs;
  private final Leases leases;
  private final Redrives redrives;
  private final Permits permits;
  private final Audited audited;
  private final Problems problems;

  BulkController(
      Queues queues,
      Jobs jobs,
      Leases leases,
      Redrives redrives,
      Permits permits,
      Audited audited,
      Problems problems) {
    this.queues = queues;
    this.jobs = jobs;
    this.leases = leases;
    this.redrives = redrives;
    this.permits = permits;
    this.audited = audited;
    this.problems = problems;
  }

  @Answers({
    Problem.QUEUE_NOT_FOUND,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/queues/{queue}/jobs/cancel")
  Done cancel(@PathVariable String queue, HttpServletRequest request) throws IOException {
    QueueName name = queues.get(PathParts.queue(queue)).name();
    byte[] body = RequestBodies.read(request, RequestBodies.SINGLE);
    Wish wish = BulkDraft.read(body, Kind.CANCEL, name);
    BulkChange change = new BulkChange.Cancel(jobs, wish, leases);
    return wish.dryRun() ? change.run() : run("jobs.cancel", name, request, body, change);
  }

  @Answers({
    Problem.QUEUE_NOT_FOUND,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.TENANT_OVER_SHARE,
    Problem.QUEUE_FULL,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/queues/{queue}/jobs/retry")
  ResponseEntity<Done> retry(@PathVariable String queue, HttpServletRequest request)
      throws IOException {
    QueueName name = queues.get(PathParts.queue(queue)).name();
    byte[] body = RequestBodies.read(request, RequestBodies.SINGLE);
    Wish wish = BulkDraft.read(body, Kind.RETRY, name);
    BulkChange change = new BulkChange.Retry(jobs, wish, name, redrives, permits);
    Done done = wish.dryRun() ? change.run() : run("jobs.retry", name, request, body, change);
    if (change.refusal() == null) {
      return ResponseEntity.ok(done);
    }
    ProblemDocument refused = Refusals.of(change.refusal(), problems);
    if (done.changed() == 0) {
      throw new ProblemException(refused);
    }
    return ResponseEntity.ok()
        .headers(headers -> refused.headers().forEach(headers::set))
        .body(done);
  }

  @Answers({Problem.QUEUE_NOT_FOUND, Problem.OUTCOME_UNKNOWN})
  @PostMapping("/v1/queues/{queue}/purge")
  Done purge(@PathVariable String queue, HttpServletRequest request) {
    QueueName name = queues.get(PathParts.queue(queue)).name();
    RequestBodies.requireNone(
        request, "cancels all that waits; jobs/cancel takes a filter and dryRun");
    JobFilter all = new JobFilter(name.value(), null, null, null, Map.of(), null);
    Wish wish = new Wish(WAITING, all, null, false, null);
    return run("queue.purge", name, request, null, new BulkChange.Cancel(jobs, wish, leases));
  }

  private Done run(
      String action,
      QueueName queue,
      HttpServletRequest request,
      byte @Nullable [] body,
      BulkChange change) {
    return audited.change(action, queue, request, body, change::run, done -> done);
  }
}
