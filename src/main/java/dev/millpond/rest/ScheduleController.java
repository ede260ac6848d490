package dev.millpond.rest;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.RequestKey;
import dev.millpond.admission.Submission;
import dev.millpond.job.JobIds;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.SubmissionReader.Context;
import dev.millpond.schedule.Schedule;
import dev.millpond.schedule.Schedule.Settings;
import dev.millpond.schedule.Schedules;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.ResponseEntity.BodyBuilder;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Schedules: what is submitted when, and what became of it. */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class ScheduleController {

  /** How often a change is tried that others change at the same time. */
  private static final int TRIES = 5;

  private final Schedules schedules;
  private final Admission admission;
  private final PayloadCheck payloads;
  private final ScheduleBodies bodies;
  private final SubmitController submits;
  private final Audited audited;

  ScheduleController(
      Schedules schedules,
      Admission admission,
      PayloadCheck payloads,
      ScheduleBodies bodies,
      SubmitController submits,
      Audited audited) {
    this.schedules = schedules;
    this.admission = admission;
    this.payloads = payloads;
    this.bodies = bodies;
    this.submits = submits;
    this.audited = audited;
  }

  /** A page of schedules, in alphabetical order. */
  record Page(List<ScheduleBody> items, @Nullable String nextCursor) {}

  @Answers(Problem.INVALID_CURSOR)
  @ReadsQuery
  @GetMapping("/v1/schedules")
  ResponseEntity<Page> list(HttpServletRequest request) {
    ListQuery query = ListQuery.of(request, Cursor.SCHEDULES);
    String after = query.after() == null ? "" : query.after();
    List<Schedule> found = schedules.list(after, query.limit() + 1);
    List<Schedule> page = found.stream().limit(query.limit()).toList();
    String next =
        page.size() < found.size() ? Cursor.SCHEDULES.encode(page.getLast().name()) : null;
    return NextPage.link(request, next)
        .body(new Page(page.stream().map(bodies::item).toList(), next));
  }

  @Answers(Problem.SCHEDULE_NOT_FOUND)
  @GetMapping("/v1/schedules/{schedule}")
  ScheduleBody get(@PathVariable String schedule) {
    return bodies.whole(find(schedule));
  }

  @Answers({
    Problem.UNKNOWN_TYPE,
    Problem.SCHEDULE_NOT_FOUND,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.TOO_MANY_SCHEDULES,
    Problem.OUTCOME_UNKNOWN
  })
  @PutMapping("/v1/schedules/{schedule}")
  ResponseEntity<ScheduleBody> put(@PathVariable String schedule, HttpServletRequest request)
      throws IOException {
    String name = PathParts.schedule(schedule);
    byte[] body = RequestBodies.read(request, RequestBodies.SINGLE);
    Context context = new Context(schedules.now(), TenantHeader.of(request), null);
    for (int i = 0; i < TRIES; i++) {
      Optional<Schedule> before = schedules.find(name);
      Settings kept = before.map(Schedule::settings).orElse(null);
      Settings settings = ScheduleDraft.read(body, context, kept);
      check(settings, kept);
      Optional<Schedule> after =
          audited.change(
              "schedule.set",
              settings.queue(),
              name,
              request,
              body,
              () ->
                  before.isPresent()
                      ? schedules.change(before.get(), settings)
                      : schedules.create(name, settings),
              done -> Map.of("set", done.isPresent()));
      if (after.isPresent()) {
        BodyBuilder answer =
            before.isPresent()
                ? ResponseEntity.ok()
                : ResponseEntity.created(URI.create("/v1/schedules/" + name));
        return answer.body(bodies.whole(after.get()));
      }
      if (before.isEmpty() && schedules.find(name).isEmpty()) {
        throw new ProblemException(
            Problem.TOO_MANY_SCHEDULES, "There may be " + schedules.max() + ".");
      }
    }
    throw new ProblemException(
        ProblemDocument.of(Problem.OVERLOADED, "The schedule changes too quickly; try again.")
            .retryAfter(1));
  }

  /** A pause, for one, goes through although what was good once is not any more. */
  private void check(Settings settings, @Nullable Settings kept) {
    if (kept == null
        || !settings.job().equals(kept.job())
        || !settings.queue().equals(kept.queue())) {
      payloads
          .problem(settings.queue(), settings.job(), "/job")
          .ifPresent(
              problem -> {
                throw new ProblemException(problem);
              });
    }
  }

  @Answers({Problem.SCHEDULE_NOT_FOUND, Problem.OUTCOME_UNKNOWN})
  @DeleteMapping(
      path = "/v1/schedules/{schedule}",
      // Whoever knows of no other answer with a body asks for this one.
      produces = {MediaType.APPLICATION_JSON_VALUE, MediaType.APPLICATION_PROBLEM_JSON_VALUE})
  ResponseEntity<Void> delete(@PathVariable String schedule, HttpServletRequest request) {
    Schedule now = find(schedule);
    boolean deleted =
        audited.change(
            "schedule.delete",
            now.settings().queue(),
            now.name(),
            request,
            null,
            () -> schedules.delete(now.name()),
            done -> Map.of("deleted", done));
    if (!deleted) {
      throw missing(now.name());
    }
    return ResponseEntity.noContent().build();
  }

  @Answers({
    Problem.INVALID_IDEMPOTENCY_KEY,
    Problem.SCHEDULE_NOT_FOUND,
    Problem.QUEUE_NOT_FOUND,
    Problem.IDEMPOTENCY_KEY_IN_FLIGHT,
    Problem.JOB_GONE,
    Problem.IDEMPOTENCY_KEY_REUSED,
    Problem.BATCH_EXCEEDS_CAP,
    Problem.TOO_MANY_QUEUES,
    Problem.TENANT_OVER_SHARE,
    Problem.QUEUE_FULL,
    Problem.DEADLINE_UNREACHABLE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/schedules/{schedule}/trigger")
  Object trigger(@PathVariable String schedule, HttpServletRequest request) {
    Schedule now = find(schedule);
    QueueName queue = now.settings().queue();
    Submission job =
        Schedules.triggered(now).traced(Traceparent.parse(request.getHeader(Traceparent.HEADER)));
    Optional<Prefer> prefer = submits.prefer(request);
    RequestKey key =
        IdempotencyKey.of(request)
            .map(sent -> RequestKey.of("POST " + request.getRequestURI(), sent.value()))
            .orElse(null);
    Decision decision =
        audited.change(
            "schedule.trigger",
            queue,
            now.name(),
            request,
            null,
            () -> admission.admit(queue, List.of(job), key),
            made -> Map.of("accepted", made instanceof Decision.Accepted));
    if (decision instanceof Decision.Accepted accepted) {
      UUID id = accepted.jobs().getFirst().id();
      schedules.record(now, id, JobIds.submittedAt(id));
    }
    return submits.answer(queue, decision, prefer);
  }

  private Schedule find(String path) {
    String name = PathParts.schedule(path);
    return schedules.find(name).orElseThrow(() -> missing(name));
  }

  private static ProblemException missing(String name) {
    return new ProblemException(Problem.SCHEDULE_NOT_FOUND, "There is no schedule " + name + ".");
  }
}
