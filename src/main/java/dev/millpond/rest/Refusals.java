package dev.millpond.rest;

import dev.millpond.admission.Decision;
import dev.millpond.admission.Refusal;
import dev.millpond.queue.UnknownQueue;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/** What a client is told whose submit was sent away. */
final class Refusals {

  /**
   * When to come back for a request whose first sending is not decided, or that too many are
   * before.
   */
  static final long SOON_SECONDS = 2;

  /** What is wrong with a predecessor that is not there. */
  static final String GONE = "names no job: it was removed, or never existed";

  private Refusals() {}

  /** The answer for a refusal. */
  static ProblemDocument of(Decision.Refused refused, Problems problems) {
    return switch (refused) {
      case Decision.Full(Refusal refusal) -> full(refusal);
      case Decision.KeyReused() ->
          ProblemDocument.of(
              Problem.IDEMPOTENCY_KEY_REUSED, "The key belongs to a request with other bytes.");
      case Decision.KeyInFlight() ->
          ProblemDocument.of(
                  Problem.IDEMPOTENCY_KEY_IN_FLIGHT, "The first request is still at work.")
              .retryAfter(SOON_SECONDS);
      case Decision.Duplicate(int place, @Nullable UUID holder) -> duplicate(place, holder);
      case Decision.BatchExceedsCap(int cap) ->
          ProblemDocument.of(Problem.BATCH_EXCEEDS_CAP, "The queue's cap is " + cap + ".")
              .with("cap", cap);
      case Decision.DeadlineUnreachable(Duration wait, @Nullable Duration retryAfter) ->
          unreachable(wait, retryAfter);
      case Decision.TenantOverShare over -> overShare(over);
      case Decision.PredecessorsGone(Set<UUID> ids) ->
          ProblemDocument.invalid(
              ids.stream().map(id -> FieldError.at("", GONE + ": " + id)).toList());
      case Decision.Overloaded() ->
          ProblemDocument.of(Problem.OVERLOADED, "Too many submits wait to be written.")
              .retryAfter(SOON_SECONDS);
      case Decision.OutcomeUnknown() -> problems.outcomeUnknown();
    };
  }

  /** Of a job in some place of a batch, since a single one has no other. */
  private static ProblemDocument duplicate(int place, @Nullable UUID holder) {
    return holder == null
        ? ProblemDocument.of(
                Problem.DUPLICATE_JOB,
                "The job in place %d has the key of one before it.".formatted(place))
            .with("place", place)
        : duplicate(holder).with("place", place);
  }

  /** Another job holds the unique key. */
  static ProblemDocument duplicate(UUID holder) {
    return ProblemDocument.of(Problem.DUPLICATE_JOB, "The key is held by job %s.".formatted(holder))
        .with("jobId", holder);
  }

  /** The queue is full: how full, how quickly it drains, and when this client's turn comes. */
  static ProblemDocument full(Refusal refusal) {
    ProblemDocument document =
        ProblemDocument.of(
                Problem.QUEUE_FULL,
                "%d jobs wait in queue %s, and its cap is %d."
                    .formatted(refusal.depth(), refusal.queue(), refusal.cap()))
            .with("queue", refusal.queue().value())
            .with("depth", refusal.depth())
            .with("cap", refusal.cap())
            .with("violated-policies", List.of("depth"))
            .retryAfter(refusal.retryAfter());
    if (refusal.drainRate().isPresent()) {
      document = document.with("drainRatePerSecond", round(refusal.drainRate().getAsDouble()));
    }
    return refusal.reason() == null ? document : document.with("reason", refusal.reason());
  }

  private static ProblemDocument unreachable(Duration wait, @Nullable Duration retryAfter) {
    String expected = "It would start after about " + wait.truncatedTo(ChronoUnit.MILLIS) + ", ";
    return retryAfter == null
        ? ProblemDocument.of(
                Problem.DEADLINE_UNREACHABLE, expected + "and no later try could start in time.")
            .status(HttpStatus.UNPROCESSABLE_CONTENT.value())
            .with("estimatedWaitMs", wait.toMillis())
        : ProblemDocument.of(
                Problem.DEADLINE_UNREACHABLE, expected + "but a later try could start in time.")
            .with("estimatedWaitMs", wait.toMillis())
            .retryAfter(retryAfter);
  }

  private static ProblemDocument overShare(Decision.TenantOverShare over) {
    Refusal refusal = over.refusal();
    String tenant = Objects.requireNonNullElse(over.tenant(), "");
    ProblemDocument document =
        ProblemDocument.of(
                Problem.TENANT_OVER_SHARE,
                "%d jobs of %s wait in queue %s, and its share is %d."
                    .formatted(
                        over.tenantDepth(),
                        tenant.isEmpty() ? "no tenant" : "tenant " + tenant,
                        refusal.queue(),
                        over.share()))
            .with("tenant", tenant)
            .with("tenantDepth", over.tenantDepth())
            .with("share", over.share())
            .with("queue", refusal.queue().value())
            .with("depth", refusal.depth())
            .with("cap", refusal.cap())
            .with("violated-policies", List.of("tenant"))
            .retryAfter(refusal.retryAfter());
    return RateLimit.tell(over, document);
  }

  static ProblemDocument unknown(UnknownQueue unknown) {
    return unknown.tooMany()
        ? ProblemDocument.of(
            Problem.TOO_MANY_QUEUES, "Queue " + unknown.queue() + " was not created.")
        : ProblemDocument.of(Problem.QUEUE_NOT_FOUND, "There is no queue " + unknown.queue() + ".");
  }

  private static double round(double rate) {
    return Math.round(rate * 100) / 100.0;
  }
}
