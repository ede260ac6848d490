package dev.millpond.rest;

import dev.millpond.admission.Decision;
import dev.millpond.admission.Redrives;
import dev.millpond.admission.Redrives.Redrive;
import dev.millpond.dependency.Dependencies;
import dev.millpond.dependency.Graph;
import dev.millpond.job.Job;
import dev.millpond.job.Jobs;
import dev.millpond.job.LogLine;
import dev.millpond.job.Watches;
import dev.millpond.lease.Leases;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** One job: how it is, and what can be done to it. */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class JobController {

  /** How often a change is tried on a job that moves from one state to another meanwhile. */
  private static final int TRIES = 10;

  private final Jobs jobs;
  private final KnownJobs known;
  private final Watches watches;
  private final Leases leases;
  private final Redrives redrives;
  private final Dependencies dependencies;
  private final JobBodies bodies;
  private final Problems problems;

  JobController(
      Jobs jobs,
      KnownJobs known,
      Watches watches,
      Leases leases,
      Redrives redrives,
      Dependencies dependencies,
      JobBodies bodies,
      Problems problems) {
    this.jobs = jobs;
    this.known = known;
    this.watches = watches;
    this.leases = leases;
    this.redrives = redrives;
    this.dependencies = dependencies;
    this.bodies = bodies;
    this.problems = problems;
  }

  @Answers({Problem.JOB_NOT_FOUND, Problem.JOB_GONE})
  @GetMapping("/v1/jobs/{id}")
  Object get(@PathVariable String id, HttpServletRequest request) {
    Job now = known.find(id);
    return Prefer.of(request)
        .filter(_ -> watches.takesMore())
        .map(prefer -> changed(now.id(), seen(now, request), prefer))
        .orElseGet(() -> answer(HttpStatus.OK, now));
  }

  private static String seen(Job now, HttpServletRequest request) {
    String header =
        String.join(",", Collections.list(request.getHeaders(HttpHeaders.IF_NONE_MATCH)));
    return header.isEmpty() ? tag(now) : header;
  }

  /** The job when it is no longer what the client has seen, or when it wants to wait no longer. */
  private Object changed(UUID id, String seen, Prefer prefer) {
    return Later.answer(
        watches.await(
            id, job -> job.state().isFinal() || !seen.contains(tag(job)), prefer.atMost()),
        job ->
            answer(HttpStatus.OK, job.orElseThrow(() -> known.missing(id)), Optional.of(prefer)));
  }

  /** What a job's handlers logged. */
  record Log(List<LogLine> lines) {}

  @Answers({Problem.JOB_NOT_FOUND, Problem.JOB_GONE})
  @GetMapping("/v1/jobs/{id}/log")
  Log log(@PathVariable String id) {
    return new Log(jobs.log(known.find(id).id()));
  }

  @Answers({Problem.JOB_NOT_FOUND, Problem.JOB_GONE})
  @GetMapping("/v1/jobs/{id}/graph")
  Graph graph(@PathVariable String id) {
    return dependencies.graph(known.find(id).id());
  }

  @Answers({Problem.JOB_NOT_FOUND, Problem.JOB_FINISHED, Problem.JOB_GONE, Problem.OUTCOME_UNKNOWN})
  @PostMapping("/v1/jobs/{id}/cancel")
  ResponseEntity<JobBody> cancel(@PathVariable String id) {
    for (int i = 0; i < TRIES; i++) {
      Job job = known.find(id);
      switch (job.state()) {
        case CANCELLED -> {
          return answer(HttpStatus.OK, job);
        }
        case CANCELLING -> {
          return answer(HttpStatus.ACCEPTED, job);
        }
        case SUCCEEDED, FAILED, EXPIRED ->
            throw new ProblemException(
                Problem.JOB_FINISHED, "The job is " + job.state().label() + ".");
        case SCHEDULED, BLOCKED, QUEUED, RUNNING, RETRYING -> {
          // By what it was when it was asked, whatever has become of it since.
          switch (leases.cancel(job.id())) {
            case CANCELLED -> {
              return answer(HttpStatus.OK, known.find(id));
            }
            case REQUESTED -> {
              return answer(HttpStatus.ACCEPTED, known.find(id));
            }
            case UNCHANGED -> {} // It moved on in between: another look.
          }
        }
      }
    }
    throw moving();
  }

  @Answers({
    Problem.JOB_NOT_FOUND,
    Problem.DUPLICATE_JOB,
    Problem.JOB_BLOCKED,
    Problem.JOB_RUNNING,
    Problem.JOB_GONE,
    Problem.TENANT_OVER_SHARE,
    Problem.QUEUE_FULL,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/jobs/{id}/retry")
  ResponseEntity<JobBody> retry(@PathVariable String id) {
    for (int i = 0; i < TRIES; i++) {
      Job job = known.find(id);
      boolean done =
          switch (job.state()) {
            case QUEUED -> true;
            case SCHEDULED, RETRYING -> leases.hurry(job.id());
            case BLOCKED -> throw new ProblemException(Problem.JOB_BLOCKED, "The job is blocked.");
            case RUNNING, CANCELLING ->
                throw new ProblemException(
                    Problem.JOB_RUNNING, "The job is " + job.state().label() + ".");
            case SUCCEEDED, FAILED, CANCELLED, EXPIRED -> redrive(job);
          };
      if (done) {
        return answer(HttpStatus.OK, known.find(id));
      }
    }
    throw moving();
  }

  private boolean redrive(Job job) {
    return switch (redrives.redrive(job)) {
      case Redrive.Done(int moved) -> moved > 0;
      case Redrive.Duplicate(UUID holder) -> throw new ProblemException(Refusals.duplicate(holder));
      case Redrive.Refused(Decision.Refused why) ->
          throw new ProblemException(Refusals.of(why, problems));
    };
  }

  @Answers({
    Problem.JOB_NOT_FOUND,
    Problem.JOB_NOT_FINISHED,
    Problem.JOB_GONE,
    Problem.OUTCOME_UNKNOWN
  })
  @DeleteMapping(
      path = "/v1/jobs/{id}",
      // Whoever knows of no other answer with a body asks for this one.
      produces = {MediaType.APPLICATION_JSON_VALUE, MediaType.APPLICATION_PROBLEM_JSON_VALUE})
  ResponseEntity<Void> remove(@PathVariable String id) {
    Job job = known.find(id);
    if (!leases.remove(job.id())) {
      throw new ProblemException(
          Problem.JOB_NOT_FINISHED, "The job is " + job.state().label() + ".");
    }
    return ResponseEntity.noContent().build();
  }

  private ResponseEntity<JobBody> answer(HttpStatus status, Job job) {
    return answer(status, job, Optional.empty());
  }

  private ResponseEntity<JobBody> answer(HttpStatus status, Job job, Optional<Prefer> prefer) {
    JobBody body = bodies.whole(job);
    return ResponseEntity.status(status)
        .eTag("W/" + tag(job))
        .headers(headers -> bodies.retryAfter(body, headers))
        .headers(headers -> Prefer.tell(prefer, headers))
        .body(body);
  }

  private static String tag(Job job) {
    return "\"" + job.version() + "\"";
  }

  private static ProblemException moving() {
    return new ProblemException(
        ProblemDocument.of(Problem.OVERLOADED, "The job changes too quickly; try again.")
            .retryAfter(1));
  }
}
