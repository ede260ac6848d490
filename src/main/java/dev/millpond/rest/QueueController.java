package dev.millpond.rest;

import static java.util.Objects.requireNonNull;

import dev.millpond.admission.Permits;
import dev.millpond.job.QueueCounts;
import dev.millpond.job.QueueTraffic;
import dev.millpond.job.Traffic;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
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

/** Queues: what waits in them, and their settings. */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class QueueController {

  private final Queues queues;
  private final Traffic traffic;
  private final Permits permits;
  private final Audited audited;

  QueueController(Queues queues, Traffic traffic, Permits permits, Audited audited) {
    this.queues = queues;
    this.traffic = traffic;
    this.permits = permits;
    this.audited = audited;
  }

  /** A page of queues, in alphabetical order. */
  record Page(List<QueueBody> items, @Nullable String nextCursor) {}

  @Answers(Problem.INVALID_CURSOR)
  @ReadsQuery
  @GetMapping("/v1/queues")
  ResponseEntity<Page> list(HttpServletRequest request) {
    ListQuery query = ListQuery.of(request, Cursor.QUEUES);
    List<Queue> rest = queues.all().stream().filter(queue -> isAfter(query, queue)).toList();
    List<Queue> page = rest.stream().limit(query.limit()).toList();
    String next =
        page.size() < rest.size() ? Cursor.QUEUES.encode(page.getLast().name().value()) : null;
    return NextPage.link(request, next).body(new Page(bodies(page), next));
  }

  private static boolean isAfter(ListQuery query, Queue queue) {
    return query.after() == null || queue.name().value().compareTo(query.after()) > 0;
  }

  @Answers(Problem.QUEUE_NOT_FOUND)
  @GetMapping("/v1/queues/{queue}")
  QueueBody get(@PathVariable String queue) {
    return body(queues.get(PathParts.queue(queue)));
  }

  @Answers({
    Problem.QUEUE_NOT_FOUND,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.TOO_MANY_QUEUES,
    Problem.OUTCOME_UNKNOWN
  })
  @PutMapping("/v1/queues/{queue}")
  ResponseEntity<QueueBody> put(@PathVariable String queue, HttpServletRequest request)
      throws IOException {
    QueueName name = PathParts.queue(queue);
    byte[] body = RequestBodies.read(request, RequestBodies.SINGLE);
    QueueChange change = QueueChangeReader.read(body);
    Queues.Changed changed =
        audited.change(
            "queue.set", name, request, body, () -> queues.change(name, change), _ -> Map.of());
    BodyBuilder answer =
        changed.isNew()
            ? ResponseEntity.created(URI.create("/v1/queues/" + name))
            : ResponseEntity.ok();
    return answer.body(body(changed.queue()));
  }

  @Answers({Problem.QUEUE_NOT_FOUND, Problem.OUTCOME_UNKNOWN})
  @PostMapping("/v1/queues/{queue}/pause")
  QueueBody pause(@PathVariable String queue, HttpServletRequest request) {
    return pause("queue.pause", queue, request, true);
  }

  @Answers({Problem.QUEUE_NOT_FOUND, Problem.OUTCOME_UNKNOWN})
  @PostMapping("/v1/queues/{queue}/resume")
  QueueBody resume(@PathVariable String queue, HttpServletRequest request) {
    return pause("queue.resume", queue, request, false);
  }

  private QueueBody pause(String action, String queue, HttpServletRequest request, boolean paused) {
    QueueName name = queues.get(PathParts.queue(queue)).name();
    return body(
        audited.change(
            action, name, request, null, () -> queues.pause(name, paused), _ -> Map.of()));
  }

  @Answers({Problem.QUEUE_NOT_FOUND, Problem.QUEUE_NOT_EMPTY, Problem.OUTCOME_UNKNOWN})
  @DeleteMapping(
      path = "/v1/queues/{queue}",
      // Whoever knows of no other answer with a body asks for this one.
      produces = {MediaType.APPLICATION_JSON_VALUE, MediaType.APPLICATION_PROBLEM_JSON_VALUE})
  ResponseEntity<Void> delete(@PathVariable String queue, HttpServletRequest request) {
    QueueName name = queues.get(PathParts.queue(queue)).name();
    boolean deleted =
        audited.change(
            "queue.delete",
            name,
            request,
            null,
            () -> queues.delete(name),
            done -> Map.of("deleted", done));
    if (!deleted) {
      throw new ProblemException(Problem.QUEUE_NOT_EMPTY, "Jobs wait or run in it.");
    }
    return ResponseEntity.noContent().build();
  }

  private QueueBody body(Queue queue) {
    return bodies(List.of(queue)).getFirst();
  }

  private List<QueueBody> bodies(List<Queue> page) {
    Map<String, QueueTraffic> all =
        traffic.of(page.stream().map(queue -> queue.name().value()).toList());
    return page.stream()
        .map(queue -> body(queue, requireNonNull(all.get(queue.name().value()))))
        .toList();
  }

  private QueueBody body(Queue queue, QueueTraffic moves) {
    QueueCounts counts = moves.counts();
    OptionalDouble rate = permits.drainRate(queue.name());
    return new QueueBody(
        queue.name().value(),
        queue.cap(),
        queue.maxWait(),
        queue.concurrency(),
        queue.workers().label(),
        queue.rateLimit(),
        queue.retention(),
        queue.paused(),
        new QueueBody.Depth(
            counts.depth(),
            counts.queued(),
            counts.scheduled(),
            counts.blocked(),
            counts.retrying()),
        counts.running(),
        round(moves.arrivalsPerSecond()),
        rate.isPresent() ? round(rate.getAsDouble()) : null,
        permits.waits(queue.name()).orElse(null),
        moves.oldest(),
        wait(counts.queued(), rate));
  }

  private static double round(double rate) {
    return Math.round(rate * 100) / 100.0;
  }

  private static @Nullable Duration wait(long queued, OptionalDouble rate) {
    return rate.isEmpty() || rate.getAsDouble() <= 0
        ? null
        : Duration.ofMillis((long) (1_000 * queued / rate.getAsDouble()));
  }
}
