package dev.millpond.rest;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.millpond.job.Job;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.lease.Claim;
import dev.millpond.lease.LeaseProperties;
import dev.millpond.lease.Leases;
import dev.millpond.lease.Settlement;
import dev.millpond.lease.Settlement.Lost;
import dev.millpond.lease.Settlement.Settled;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.BulkReader.Bulk;
import dev.millpond.rest.WordDraft.Kind;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Pull workers: they claim jobs, say that they are still at work, and how it ended. Their words
 * pass the same fence as those of the workers in the service.
 */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class LeaseController {

  private static final Logger log = LoggerFactory.getLogger(LeaseController.class);

  private final PulledJobs pulled;
  private final Leases leases;
  private final Jobs jobs;
  private final Problems problems;
  private final LeaseProperties properties;

  LeaseController(
      PulledJobs pulled, Leases leases, Jobs jobs, Problems problems, LeaseProperties properties) {
    this.pulled = pulled;
    this.leases = leases;
    this.jobs = jobs;
    this.problems = problems;
    this.properties = properties;
  }

  /** The jobs that a worker has claimed. */
  record Claimed(List<JobBody> jobs) {}

  @Answers({
    Problem.QUEUE_NOT_FOUND,
    Problem.NO_PULL_WORKERS,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/queues/{queue}/claims")
  ResponseEntity<Claimed> claim(@PathVariable String queue, HttpServletRequest request)
      throws IOException, InterruptedException {
    QueueName name = PathParts.queue(queue);
    byte[] body = RequestBodies.read(request, RequestBodies.SINGLE);
    Claim claim = ClaimDraft.read(body, name, properties.duration());
    pulled.requirePullWorkers(name);
    // Who waits keeps its body.
    Optional<Prefer> prefer = pulled.heeded(request).filter(_ -> BodyRoom.isHalfFree(request));
    List<JobBody> claimed = pulled.claim(claim, prefer);
    return ResponseEntity.ok()
        .headers(headers -> Prefer.tell(prefer, headers))
        .body(new Claimed(claimed));
  }

  /** A lease that is held. */
  record Held(Instant expiresAt, boolean cancelRequested) {}

  @Answers({
    Problem.JOB_NOT_FOUND,
    Problem.LEASE_LOST,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/jobs/{id}/heartbeat")
  Held heartbeat(@PathVariable String id, HttpServletRequest request) throws IOException {
    return renew(List.of(read(id, Kind.HEARTBEAT, request))).getFirst().orThrow();
  }

  /** A job after the end of its attempt. */
  record Ended(UUID id, String state) {}

  @Answers({
    Problem.JOB_NOT_FOUND,
    Problem.LEASE_LOST,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/jobs/{id}/complete")
  Ended complete(@PathVariable String id, HttpServletRequest request) throws IOException {
    return end(id, Kind.COMPLETE, request);
  }

  @Answers({
    Problem.JOB_NOT_FOUND,
    Problem.LEASE_LOST,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/jobs/{id}/fail")
  Ended fail(@PathVariable String id, HttpServletRequest request) throws IOException {
    return end(id, Kind.FAIL, request);
  }

  @Answers({
    Problem.JOB_NOT_FOUND,
    Problem.LEASE_LOST,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/jobs/{id}/release")
  Ended release(@PathVariable String id, HttpServletRequest request) throws IOException {
    return end(id, Kind.RELEASE, request);
  }

  private Ended end(String id, Kind kind, HttpServletRequest request) throws IOException {
    WordDraft word = read(id, kind, request);
    return new Ended(word.id(), settle(List.of(word)).getFirst().orThrow().label());
  }

  private static WordDraft read(String id, Kind kind, HttpServletRequest request)
      throws IOException {
    UUID job = PathParts.job(id);
    return WordDraft.read(RequestBodies.read(request, RequestBodies.SINGLE), kind, job);
  }

  /** What a worker is answered of one of many leases. */
  record HeldItem(
      int status,
      UUID id,
      @Nullable Instant expiresAt,
      @Nullable Boolean cancelRequested,
      @Nullable Map<String, Object> problem) {}

  /** The answers in the order asked. */
  record HeldItems(List<HeldItem> items) {}

  @Answers({
    Problem.PAYLOAD_TOO_LARGE,
    Problem.BATCH_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/leases/heartbeat")
  ResponseEntity<HeldItems> heartbeats(HttpServletRequest request) throws IOException {
    List<Said<Held>> said = renew(readAll(Kind.HEARTBEAT, request).items());
    return ResponseEntity.status(HttpStatus.MULTI_STATUS)
        .body(new HeldItems(said.stream().map(one -> held(one, request)).toList()));
  }

  private HeldItem held(Said<Held> said, HttpServletRequest request) {
    Held held = said.value();
    ProblemDocument problem = problem(said, request);
    return new HeldItem(
        status(problem),
        said.id(),
        held == null ? null : held.expiresAt(),
        held == null ? null : Boolean.valueOf(held.cancelRequested()),
        problem == null ? null : problem.json());
  }

  /** What a worker is answered of one of many attempts that ended. */
  record EndedItem(
      int status, UUID id, @Nullable String state, @Nullable Map<String, Object> problem) {}

  /**
   * The answers in the order sent.
   *
   * @param jobs what the worker does next, if it asked for that
   */
  record EndedItems(
      List<EndedItem> items,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<JobBody> jobs) {}

  @Answers({
    Problem.QUEUE_NOT_FOUND,
    Problem.NO_PULL_WORKERS,
    Problem.PAYLOAD_TOO_LARGE,
    Problem.BATCH_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/leases/complete")
  ResponseEntity<EndedItems> completeAll(HttpServletRequest request)
      throws IOException, InterruptedException {
    Bulk bulk = readAll(Kind.COMPLETE, request);
    Claim claim = bulk.claim();
    if (claim == null) {
      return ResponseEntity.status(HttpStatus.MULTI_STATUS)
          .body(new EndedItems(ended(bulk, request), null));
    }
    // Refused before anything is done.
    pulled.requirePullWorkers(claim.queue());
    List<EndedItem> items = ended(bulk, request);
    // Who waits keeps its body.
    Optional<Prefer> prefer = pulled.heeded(request).filter(_ -> BodyRoom.isHalfFree(request));
    return ResponseEntity.status(HttpStatus.MULTI_STATUS)
        .headers(headers -> Prefer.tell(prefer, headers))
        .body(new EndedItems(items, next(claim, prefer)));
  }

  /** What ended has ended, whatever happens to the claim. */
  private List<JobBody> next(Claim claim, Optional<Prefer> prefer) throws InterruptedException {
    try {
      return pulled.claim(claim, prefer);
    } catch (DataAccessException | TransactionException away) {
      log.debug("Cannot claim from {}: {}", claim.queue(), away.getMessage());
      return List.of();
    }
  }

  @Answers({
    Problem.PAYLOAD_TOO_LARGE,
    Problem.BATCH_TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
    Problem.OUTCOME_UNKNOWN
  })
  @PostMapping("/v1/leases/fail")
  ResponseEntity<EndedItems> failAll(HttpServletRequest request) throws IOException {
    Bulk bulk = readAll(Kind.FAIL, request);
    return ResponseEntity.status(HttpStatus.MULTI_STATUS)
        .body(new EndedItems(ended(bulk, request), null));
  }

  private Bulk readAll(Kind kind, HttpServletRequest request) throws IOException {
    byte[] body = RequestBodies.read(request, RequestBodies.BATCH);
    return BulkReader.read(body, kind, properties.duration());
  }

  private List<EndedItem> ended(Bulk bulk, HttpServletRequest request) {
    return settle(bulk.items()).stream().map(said -> ended(said, request)).toList();
  }

  private EndedItem ended(Said<JobState> said, HttpServletRequest request) {
    JobState state = said.value();
    ProblemDocument problem = problem(said, request);
    return new EndedItem(
        status(problem),
        said.id(),
        state == null ? null : state.label(),
        problem == null ? null : problem.json());
  }

  private static int status(@Nullable ProblemDocument problem) {
    return problem == null ? HttpStatus.OK.value() : problem.status();
  }

  private @Nullable ProblemDocument problem(Said<?> said, HttpServletRequest request) {
    return said.failure() == null ? null : problems.of(said.failure(), request);
  }

  /**
   * What came of a word about one job.
   *
   * @param value null if it failed
   * @param failure null if it did not
   */
  private record Said<T>(UUID id, @Nullable T value, @Nullable RuntimeException failure) {

    T orThrow() {
      if (value == null) {
        throw failure == null ? new IllegalStateException("nothing came of it") : failure;
      }
      return value;
    }
  }

  private List<Said<Held>> renew(List<WordDraft> words) {
    Map<List<UUID>, Held> held =
        leases.heartbeat(words.stream().map(WordDraft::heartbeat).toList()).stream()
            .collect(
                toMap(
                    renewed -> List.of(renewed.id(), renewed.token()),
                    renewed -> new Held(renewed.expiresAt(), renewed.cancelRequested())));
    return orLost(
        words.stream()
            .map(word -> new Said<>(word.id(), held.get(List.of(word.id(), word.token())), null))
            .toList());
  }

  private List<Said<JobState>> settle(List<WordDraft> words) {
    List<CompletableFuture<Settlement>> settlements =
        leases.settle(words.stream().map(WordDraft::ending).toList());
    return orLost(
        IntStream.range(0, words.size())
            .mapToObj(place -> settled(words.get(place).id(), settlements.get(place)))
            .toList());
  }

  private static Said<JobState> settled(UUID id, CompletableFuture<Settlement> settlement) {
    try {
      return switch (settlement.join()) {
        case Settled(JobState state) -> new Said<>(id, state, null);
        case Lost() -> new Said<>(id, null, null);
      };
    } catch (CompletionException failed) {
      return new Said<>(id, null, failure(failed));
    }
  }

  private static RuntimeException failure(CompletionException failed) {
    return switch (failed.getCause()) {
      case IllegalStateException _ ->
          new ProblemException(
              ProblemDocument.of(Problem.OVERLOADED, "Too many settlements wait to be written.")
                  .retryAfter(Refusals.SOON_SECONDS));
      case RuntimeException cause -> cause;
      case null, default -> failed;
    };
  }

  /** Says of the lost ones how their job is now. */
  private <T> List<Said<T>> orLost(List<Said<T>> said) {
    List<UUID> lost =
        said.stream()
            .filter(one -> one.value() == null && one.failure() == null)
            .map(Said::id)
            .toList();
    if (lost.isEmpty()) {
      return said;
    }
    Function<UUID, RuntimeException> failure = whyLost(lost);
    return said.stream()
        .map(
            one ->
                one.value() == null && one.failure() == null
                    ? new Said<T>(one.id(), null, failure.apply(one.id()))
                    : one)
        .toList();
  }

  private Function<UUID, RuntimeException> whyLost(List<UUID> ids) {
    try {
      Map<UUID, Job> found = jobs.findAll(ids);
      return id -> lost(found.get(id));
    } catch (DataAccessException | TransactionException away) {
      // What was done of the others has been done, and is told.
      return _ -> away;
    }
  }

  private static ProblemException lost(@Nullable Job job) {
    return job == null
        ? new ProblemException(Problem.JOB_NOT_FOUND, "There is no job with this id.")
        : new ProblemException(
            ProblemDocument.of(Problem.LEASE_LOST, "The token holds no lease of this job.")
                .with("state", job.state().label()));
  }
}
