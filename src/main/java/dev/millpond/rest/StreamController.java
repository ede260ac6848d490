package dev.millpond.rest;

import dev.millpond.admission.Admission;
import dev.millpond.admission.JobStream;
import dev.millpond.admission.RequestKey;
import dev.millpond.admission.Streams;
import dev.millpond.admission.Submission;
import dev.millpond.job.DatabaseClock;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.Arrivals.Arrival;
import dev.millpond.rest.SubmissionReader.Context;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The way in for any number of jobs, one a line. The status of the answer promises nothing; each of
 * its lines does.
 */
@RestController
class StreamController {

  /** What a stream holds at most: a line that is read, and as much again that waits. */
  private static final int ROOM = 2 * RequestBodies.SINGLE;

  private static final MediaType NDJSON = MediaType.parseMediaType(JobStream.MEDIA_TYPE);

  private final Streams streams;
  private final Admission admission;
  private final PayloadCheck payloads;
  private final Problems problems;
  private final DatabaseClock clock;

  StreamController(
      Streams streams,
      Admission admission,
      PayloadCheck payloads,
      Problems problems,
      DatabaseClock clock) {
    this.streams = streams;
    this.admission = admission;
    this.payloads = payloads;
    this.problems = problems;
    this.clock = clock;
  }

  @AnswersOfASubmit
  @ReadsQuery
  @PostMapping(
      path = {"/v1/jobs", "/v1/queues/{queue}/jobs"},
      consumes = JobStream.MEDIA_TYPE,
      produces = {JobStream.MEDIA_TYPE, MediaType.APPLICATION_JSON_VALUE})
  void submitLines(
      @PathVariable(required = false) @Nullable String queue,
      HttpServletRequest request,
      HttpServletResponse response)
      throws IOException, InterruptedException {
    QueueName name = PathParts.queue(queue);
    boolean failuresOnly = failuresOnly(request);
    requireStream(request);
    String tenant = TenantHeader.of(request);
    String trace = Traceparent.parse(request.getHeader(Traceparent.HEADER));
    BodyRoom.take(request, ROOM);
    try (JobStream stream = streams.open(name).orElseThrow(StreamController::tooMany)) {
      RateLimit.tell(admission.pressure(name), response::setHeader);
      response.setContentType(JobStream.MEDIA_TYPE);
      response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
      response.setHeader("X-Accel-Buffering", "no"); // nginx would keep the verdicts for later
      if (request.getHeader(HttpHeaders.EXPECT) == null) {
        // Who waits for the answer's head before it sends has it; who waits for a 100 gets that.
        response.flushBuffer();
      }
      new StreamedSubmit(
              request,
              stream,
              new LineReader(request.getInputStream(), RequestBodies.SINGLE),
              new VerdictWriter(response.getOutputStream(), failuresOnly),
              line -> arrival(name, line, new Context(clock.now(), tenant, trace), request),
              problems)
          .run();
    }
  }

  private Arrival arrival(
      QueueName queue, LineReader.Line line, Context context, HttpServletRequest request) {
    byte[] bytes = line.bytes();
    if (bytes == null) {
      return Arrival.bad(
          line.number(),
          ProblemDocument.of(
                  Problem.PAYLOAD_TOO_LARGE,
                  "The line has more than " + RequestBodies.SINGLE + " bytes.")
              .with("limit", RequestBodies.SINGLE));
    }
    try {
      SubmissionReader.Line read = SubmissionReader.readLine(bytes, context);
      Submission job = read.submission();
      return payloads
          .problem(queue, job)
          .map(problem -> Arrival.bad(line.number(), problem))
          .orElseGet(
              () ->
                  Arrival.good(
                      line.number(),
                      bytes.length,
                      new JobStream.Line(job, key(read.key(), bytes, context, request))));
    } catch (ProblemException bad) {
      return Arrival.bad(line.number(), bad.document());
    }
  }

  private static @Nullable RequestKey key(
      Optional<IdempotencyKey> key, byte[] line, Context context, HttpServletRequest request) {
    return key.map(own -> SubmitController.key(own, request, context.tenant(), line)).orElse(null);
  }

  private static boolean failuresOnly(HttpServletRequest request) {
    ListQuery.refuseUnknown(request.getParameterMap().keySet(), Set.of("verdicts"));
    String[] values = request.getParameterValues("verdicts");
    if (values != null && (values.length > 1 || !Set.of("all", "failures").contains(values[0]))) {
      throw ListQuery.invalid("verdicts", "must be all or failures");
    }
    return values != null && values[0].equals("failures");
  }

  private static void requireStream(HttpServletRequest request) {
    if (!RequestBodies.is(NDJSON, request.getContentType())) {
      throw new ProblemException(Problems.unsupported(JobStream.MEDIA_TYPE));
    }
    RequestBodies.requireNoCoding(request);
    if (IdempotencyKey.of(request).isPresent()) {
      throw new ProblemException(
          ProblemDocument.of(
                  Problem.INVALID_IDEMPOTENCY_KEY, "Each line of a stream has a key of its own.")
              .with(
                  "errors",
                  List.of(
                      FieldError.header(
                              RequestKey.HEADER, "cannot be that of a stream: see idempotencyKey")
                          .json())));
    }
  }

  private static ProblemException tooMany() {
    return new ProblemException(
        ProblemDocument.of(
                Problem.OVERLOADED, "At most " + Streams.MOST + " streams are open at once.")
            .retryAfter(Refusals.SOON_SECONDS)
            .closing());
  }

  /** Refusals tell how full the queue is too. */
  @ExceptionHandler
  void answer(Exception failure, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    PathParts.queueOf(request)
        .ifPresent(queue -> RateLimit.tell(admission.pressure(queue), response::setHeader));
    problems.answer(failure, request, response);
  }
}
