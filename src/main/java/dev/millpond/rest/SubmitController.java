package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.Placed;
import dev.millpond.admission.RequestKey;
import dev.millpond.admission.Submission;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.Job;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Watches;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.SubmissionReader.Batch;
import dev.millpond.rest.SubmissionReader.Candidate;
import dev.millpond.rest.SubmissionReader.Context;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.ResponseEntity.BodyBuilder;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The way in: one job, or many at once. A 2xx answer is a promise that survives the loss of service
 * and database. Who accepts no JSON is refused by the mapping: once a job is accepted, it is too
 * late for a 406.
 */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class SubmitController {

  private static final Logger log = LoggerFactory.getLogger(SubmitController.class);

  private final Admission admission;
  private final PayloadCheck payloads;
  private final Jobs jobs;
  private final Watches watches;
  private final JobBodies bodies;
  private final Problems problems;
  private final DatabaseClock clock;

  SubmitController(
      Admission admission,
      PayloadCheck payloads,
      Jobs jobs,
      Watches watches,
      JobBodies bodies,
      Problems problems,
      DatabaseClock clock) {
    this.admission = admission;
    this.payloads = payloads;
    this.jobs = jobs;
    this.watches = watches;
    this.bodies = bodies;
    this.problems = problems;
    this.clock = clock;
  }

  @AnswersOfASubmit
  @PostMapping({"/v1/jobs", "/v1/queues/{queue}/jobs"})
  Object submit(@PathVariable(required = false) @Nullable String queue, HttpServletRequest request)
      throws IOException {
    QueueName name = PathParts.queue(queue);
    byte[] body = RequestBodies.read(request, RequestBodies.SINGLE);
    Submission submission = SubmissionReader.read(body, context(request));
    payloads.problem(name, submission).ifPresent(SubmitController::refuse);
    Optional<Prefer> prefer = prefer(request);
    Decision decision = admission.admit(name, List.of(submission), key(request, body));
    if (decision instanceof Decision.PredecessorsGone(Set<UUID> gone)) {
      refuse(ProblemDocument.invalid(BatchRefs.gone(submission, gone)));
    }
    return answer(name, decision, prefer);
  }

  /** For how long the client wants to wait. Who waits keeps its body. */
  Optional<Prefer> prefer(HttpServletRequest request) {
    return Prefer.of(request).filter(_ -> watches.takesMore() && BodyRoom.isHalfFree(request));
  }

  /**
   * The answer to a submit of one job, however it came about; or one that comes when the job is
   * finished, or the client wants to wait no longer.
   */
  Object answer(QueueName name, Decision decision, Optional<Prefer> prefer) {
    Job admitted =
        switch (decision) {
          case Decision.Accepted(List<Job> accepted) -> accepted.getFirst();
          case Decision.Merged(List<Placed> placed) -> merged(placed.getFirst());
          case Decision.Replayed(List<@Nullable UUID> ids, var _) ->
              there(Objects.requireNonNull(ids.getFirst()));
          case Decision.Refused refused -> throw refused(refused);
        };
    return prefer.isPresent()
        ? Later.answer(
            finished(admitted, prefer.get()),
            job -> answer(name, decision, prefer, whole(job, admitted)))
        : answer(name, decision, prefer, bodies.whole(admitted));
  }

  private ResponseEntity<JobBody> answer(
      QueueName name, Decision decision, Optional<Prefer> prefer, JobBody answer) {
    boolean done = prefer.isPresent() && JobState.of(answer.state()).isFinal();
    return answer(
            done || wasThere(decision, answer.id()) ? HttpStatus.OK : HttpStatus.ACCEPTED,
            decision,
            name)
        .location(URI.create("/v1/jobs/" + answer.id()))
        .headers(headers -> bodies.retryAfter(answer, headers))
        .headers(headers -> Prefer.tell(prefer, headers))
        .body(answer);
  }

  /** Whether the job was there before the request, when that was first sent. */
  private static boolean wasThere(Decision decision, UUID id) {
    return decision instanceof Decision.Merged
        || (decision instanceof Decision.Replayed replayed && replayed.merged().contains(id));
  }

  /**
   * The job when it is finished, or as it is when the client wants to wait no longer. It is
   * accepted, whatever happens to the wait: no failure of that may be the answer.
   */
  private CompletableFuture<Job> finished(Job admitted, Prefer prefer) {
    try {
      return watches
          .await(admitted.id(), job -> job.state().isFinal(), prefer.atMost())
          .handle((job, away) -> job == null ? admitted : job.orElse(admitted));
    } catch (DataAccessException | TransactionException away) {
      log.debug("Cannot wait for job {}: {}", admitted.id(), away.getMessage());
      return CompletableFuture.completedFuture(admitted);
    }
  }

  private JobBody whole(Job job, Job admitted) {
    try {
      return bodies.whole(job);
    } catch (DataAccessException | TransactionException away) {
      log.debug("Cannot read all of job {}: {}", job.id(), away.getMessage());
      return bodies.whole(admitted);
    }
  }

  /** What a batch that was accepted whole is answered. */
  record Ids(List<@Nullable UUID> ids) {}

  /** What is answered for one job of a batch that was not all or nothing. */
  record Verdict(int status, @Nullable UUID id, @Nullable Map<String, Object> problem) {}

  /** The verdicts in the order sent. */
  record Verdicts(List<Verdict> items) {}

  @Answers({
    Problem.INVALID_IDEMPOTENCY_KEY,
    Problem.QUEUE_NOT_FOUND,
    Problem.IDEMPOTENCY_KEY_IN_FLIGHT,
    Problem.DUPLICATE_JOB,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.BATCH_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.IDEMPOTENCY_KEY_REUSED,
    Problem.BATCH_EXCEEDS_CAP,
    Problem.TOO_MANY_QUEUES,
    Problem.TENANT_OVER_SHARE,
    Problem.QUEUE_FULL,
    Problem.DEADLINE_UNREACHABLE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/queues/{queue}/jobs/batch")
  ResponseEntity<Object> submitBatch(@PathVariable String queue, HttpServletRequest request)
      throws IOException {
    QueueName name = PathParts.queue(queue);
    byte[] body = RequestBodies.read(request, RequestBodies.BATCH);
    Batch batch = SubmissionReader.readBatch(body, context(request));
    RequestKey key = key(request, body);
    List<Candidate> candidates = payloads.check(name, batch.candidates());
    return batch.atomic() ? submitWhole(name, candidates, key) : submitEach(name, candidates, key);
  }

  private ResponseEntity<Object> submitWhole(
      QueueName queue, List<Candidate> candidates, @Nullable RequestKey key) {
    refuseBad(candidates);
    Decision decision = admission.admit(queue, submissions(candidates), key);
    if (decision instanceof Decision.PredecessorsGone(Set<UUID> gone)) {
      refuseBad(BatchRefs.withoutGone(candidates, gone));
    }
    return answer(HttpStatus.ACCEPTED, decision, queue).body(new Ids(ids(decision)));
  }

  private ResponseEntity<Object> submitEach(
      QueueName queue, List<Candidate> candidates, @Nullable RequestKey key) {
    List<Integer> gaps =
        IntStream.range(0, candidates.size())
            .filter(place -> candidates.get(place) instanceof Candidate.Bad)
            .boxed()
            .toList();
    Decision decision =
        admission.admitEach(
            queue, submissions(candidates), key == null ? null : key.withGaps(gaps));
    if (decision instanceof Decision.PredecessorsGone(Set<UUID> gone)) {
      // At least one more is bad: there is an end to it.
      return submitEach(queue, BatchRefs.withoutGone(candidates, gone), key);
    }
    List<@Nullable Verdict> good = verdicts(decision);
    if (!(decision instanceof Decision.Replayed)) {
      gaps.forEach(place -> good.add(place, null));
    }
    List<Verdict> verdicts = new ArrayList<>();
    for (int place = 0; place < candidates.size(); place++) {
      Verdict verdict = good.get(place);
      verdicts.add(verdict == null ? refused(place, candidates.get(place)) : verdict);
    }
    return answer(HttpStatus.MULTI_STATUS, decision, queue).body(new Verdicts(verdicts));
  }

  /** Of those that were let in; null in the place of one that was refused at its first sending. */
  private List<@Nullable Verdict> verdicts(Decision decision) {
    List<@Nullable Verdict> verdicts = new ArrayList<>();
    switch (decision) {
      case Decision.Merged(List<Placed> placed) ->
          placed.forEach(job -> verdicts.add(verdict(job)));
      case Decision.Replayed(List<@Nullable UUID> ids, Set<UUID> merged) ->
          ids.forEach(id -> verdicts.add(id == null ? null : accepted(id, merged.contains(id))));
      case Decision.Accepted(List<Job> accepted) ->
          accepted.forEach(job -> verdicts.add(accepted(job.id(), false)));
      case Decision.Refused refused -> throw refused(refused);
    }
    return verdicts;
  }

  private static Verdict verdict(Placed job) {
    return switch (job.as()) {
      case WRITTEN -> accepted(job.id(), false);
      case EXISTING, REPLACED -> accepted(job.id(), true);
      case DUPLICATE -> refused(Refusals.duplicate(job.id()));
    };
  }

  private static Verdict accepted(UUID id, boolean there) {
    return new Verdict((there ? HttpStatus.OK : HttpStatus.ACCEPTED).value(), id, null);
  }

  private static Verdict refused(ProblemDocument problem) {
    return new Verdict(problem.status(), null, problem.json());
  }

  private static Verdict refused(int place, Candidate candidate) {
    ProblemDocument problem =
        switch (candidate) {
          case Candidate.Bad bad -> bad.problem();
          // A replay: what it lacked at that time, such as a handler, is there now.
          case Candidate.Good _ ->
              ProblemDocument.invalid(
                  List.of(
                      FieldError.at(
                          "/jobs/" + place,
                          "was refused when the key was first used; a new key lets it in")));
        };
    return refused(problem);
  }

  private static List<Submission> submissions(List<Candidate> candidates) {
    return candidates.stream()
        .filter(Candidate.Good.class::isInstance)
        .map(candidate -> ((Candidate.Good) candidate).submission())
        .toList();
  }

  private static void refuseBad(List<Candidate> candidates) {
    List<FieldError> errors =
        candidates.stream()
            .filter(Candidate.Bad.class::isInstance)
            .flatMap(candidate -> ((Candidate.Bad) candidate).errors().stream())
            .limit(SubmissionReader.MAX_ERRORS)
            .toList();
    if (!errors.isEmpty()) {
      refuse(ProblemDocument.invalid(errors));
    }
  }

  private List<@Nullable UUID> ids(Decision decision) {
    return switch (decision) {
      case Decision.Accepted(List<Job> accepted) ->
          accepted.stream().<@Nullable UUID>map(Job::id).toList();
      case Decision.Merged(List<Placed> jobs) ->
          jobs.stream().<@Nullable UUID>map(Placed::id).toList();
      case Decision.Replayed(List<@Nullable UUID> ids, var _) -> ids;
      case Decision.Refused refused -> throw refused(refused);
    };
  }

  /** Refusals tell how full the queue is too. */
  @ExceptionHandler
  void answer(Exception failure, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    PathParts.queueOf(request)
        .ifPresent(queue -> RateLimit.tell(admission.pressure(queue), response::setHeader));
    problems.answer(failure, request, response);
  }

  private BodyBuilder answer(HttpStatus status, Decision decision, QueueName queue) {
    BodyBuilder answer =
        ResponseEntity.status(status)
            .headers(headers -> RateLimit.tell(admission.pressure(queue), headers::set));
    return switch (decision) {
      case Decision.Replayed _ -> answer.header("Idempotency-Replayed", "true");
      case Decision.Merged(List<Placed> jobs)
          when jobs.size() == 1 && jobs.getFirst().as() != Placed.As.DUPLICATE ->
          answer.header("Millpond-Unique", jobs.getFirst().as().label());
      case Decision.Merged _, Decision.Accepted _, Decision.Refused _ -> answer;
    };
  }

  /** Of what was changed no failure may say that nothing was. */
  private Job merged(Placed placed) {
    try {
      return there(placed.id());
    } catch (DataAccessException | TransactionException away) {
      throw placed.as() == Placed.As.REPLACED
          ? new ProblemException(problems.outcomeUnknown())
          : away;
    }
  }

  private Job there(UUID id) {
    return jobs.find(id)
        .orElseThrow(
            () ->
                new ProblemException(
                    Problem.JOB_GONE, "The key's job " + id + " was removed since."));
  }

  private ProblemException refused(Decision.Refused refused) {
    return new ProblemException(Refusals.of(refused, problems));
  }

  private static void refuse(ProblemDocument problem) {
    throw new ProblemException(problem);
  }

  private Context context(HttpServletRequest request) {
    return new Context(
        clock.now(),
        TenantHeader.of(request),
        Traceparent.parse(request.getHeader(Traceparent.HEADER)));
  }

  private static @Nullable RequestKey key(HttpServletRequest request, byte[] body) {
    return IdempotencyKey.of(request)
        .map(key -> key(key, request, TenantHeader.of(request), body))
        .orElse(null);
  }

  /** A key in the scope of the request's path. For another tenant it is another request. */
  static RequestKey key(
      IdempotencyKey key, HttpServletRequest request, @Nullable String tenant, byte[] body) {
    String scope = request.getMethod() + " " + request.getRequestURI();
    byte[] header = tenant == null ? new byte[0] : (tenant + "\n").getBytes(UTF_8);
    return RequestKey.of(scope, key.value(), header, body);
  }
}
