package dev.millpond.schedule;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.Placed;
import dev.millpond.admission.Refusal;
import dev.millpond.admission.RequestKey;
import dev.millpond.admission.Submission;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.Job;
import dev.millpond.job.Jobs;
import dev.millpond.queue.UnknownQueue;
import dev.millpond.schedule.Firing.State;
import dev.millpond.schedule.FiringSql.Due;
import dev.millpond.schedule.ScheduleSql.Order;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * Fires what this node has claimed: the job is submitted like any other, with an idempotency key
 * that is the due time's, and the row is settled. May be tried again after whatever went wrong
 * between the two, here or on another node: the key is written with the job, so there is one job.
 * Keys are forgotten only when a node has been there for a while, and a node that starts takes over
 * first what is open.
 */
@Component
class Firings {

  /** The label that names the schedule of a job. */
  static final String SCHEDULE_LABEL = "schedule";

  /** The label that says for which due time a job is. */
  static final String DUE_LABEL = "dueAt";

  /** How long one that was late already when it was claimed tries to get in, at least. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** After which time it is tried again where nobody says when. */
  private static final Duration SOON = Duration.ofSeconds(1);

  private static final Duration LATER = Duration.ofSeconds(5);

  private static final Logger log = LoggerFactory.getLogger(Firings.class);

  private final FiringSql sql;
  private final Admission admission;
  private final Jobs jobs;
  private final DatabaseClock clock;
  private final MeterRegistry meters;
  private final Timer lateness;

  Firings(
      FiringSql sql, Admission admission, Jobs jobs, DatabaseClock clock, MeterRegistry meters) {
    this.sql = sql;
    this.admission = admission;
    this.jobs = jobs;
    this.clock = clock;
    this.meters = meters;
    this.lateness =
        Timer.builder("millpond.schedule.lateness")
            .description("From the due time until the job was accepted")
            .register(meters);
  }

  /** Due times that are to be tried again at a moment. */
  record Again(List<Due> due, Instant at) {}

  /** What came of one attempt; it is settled if there is no pause. */
  private record Attempt(@Nullable Duration pause, @Nullable String reason) {

    static final Attempt SETTLED = new Attempt(null, null);
  }

  /** Fires due times of one schedule, in order; empty if all are settled. */
  Optional<Again> fire(Order order, List<Due> due) {
    for (int i = 0; i < due.size(); i++) {
      Attempt attempt = attempt(order, due.get(i));
      if (attempt.pause() != null) {
        List<Due> left = new ArrayList<>(due.subList(i, due.size()));
        keep(left, attempt.pause(), attempt.reason());
        return Optional.of(new Again(left, clock.now().plus(attempt.pause())));
      }
    }
    return Optional.empty();
  }

  private void keep(List<Due> left, Duration wait, @Nullable String reason) {
    try {
      sql.await(left, wait, reason);
    } catch (DataAccessException away) {
      // Another node takes them over meanwhile, perhaps.
      log.debug("Cannot keep {} firings: {}", left.size(), away.getMessage());
    }
  }

  private Attempt attempt(Order order, Due due) {
    try {
      if (order.paused()) {
        return settle(due, State.MISSED, null, "paused");
      }
      if (order.overlap() == Overlap.SKIP && isStillAtWork(due)) {
        return settle(due, State.SKIPPED, null, "overlap");
      }
      return decided(
          order, due, admission.admit(order.queue(), List.of(submission(order, due)), key(due)));
    } catch (UnknownQueue unknown) {
      String reason = unknown.tooMany() ? "too-many-queues" : "queue-not-found";
      return refused(order, due, LATER, reason);
    } catch (DataAccessException | TransactionException away) {
      log.debug("Cannot fire schedule {}: {}", order.name(), away.getMessage());
      return new Attempt(SOON, null);
    }
  }

  /** The key does not depend on what is submitted: a due time fires once, whatever is changed. */
  private static RequestKey key(Due due) {
    return RequestKey.of(
        "SCHEDULE " + due.schedule(), due.schedule() + "/" + due.dueAt(), new byte[0]);
  }

  private static Submission submission(Order order, Due due) {
    return order
        .job()
        .labelled(Map.of(SCHEDULE_LABEL, order.name(), DUE_LABEL, due.dueAt().toString()));
  }

  private boolean isStillAtWork(Due due) {
    return sql.before(due)
        .filter(before -> before.job() == null || !isFinal(before.job()))
        .isPresent();
  }

  /** One that was removed was final. */
  private boolean isFinal(UUID job) {
    return jobs.find(job).map(found -> found.state().isFinal()).orElse(true);
  }

  private Attempt decided(Order order, Due due, Decision decision) {
    return switch (decision) {
      case Decision.Accepted(List<Job> accepted) -> fired(due, accepted.getFirst().id());
      // A schedule's jobs have no unique keys so far; one that had would be done by the other job.
      case Decision.Merged(List<Placed> jobs) -> fired(due, jobs.getFirst().id());
      case Decision.Duplicate _ -> settle(due, State.MISSED, null, "duplicate-job");
      case Decision.Replayed(List<@Nullable UUID> ids, var _) ->
          fired(due, Objects.requireNonNull(ids.getFirst()));
      case Decision.Full(Refusal refusal) ->
          refused(order, due, refusal.retryAfter(), "queue-full");
      case Decision.TenantOverShare over ->
          refused(order, due, over.refusal().retryAfter(), "tenant-over-share");
      case Decision.BatchExceedsCap _ -> refused(order, due, LATER, "queue-full");
      case Decision.Overloaded() -> refused(order, due, SOON, "overloaded");
      case Decision.DeadlineUnreachable _ -> refused(order, due, LATER, "deadline-unreachable");
      case Decision.PredecessorsGone _ -> settle(due, State.MISSED, null, "predecessors-gone");
      case Decision.KeyReused() -> settle(due, State.MISSED, null, "idempotency-key-reused");
      // It may be there: only another try tells.
      case Decision.KeyInFlight(), Decision.OutcomeUnknown() -> new Attempt(SOON, null);
    };
  }

  private Attempt fired(Due due, UUID job) {
    lateness.record(Duration.between(due.dueAt(), clock.now()));
    return settle(due, State.FIRED, job, null);
  }

  /** As long as the next due time has not come, it comes back when it was told to. */
  private Attempt refused(Order order, Due due, Duration told, String reason) {
    Duration left = Duration.between(clock.now(), until(order, due));
    if (!left.isPositive()) {
      return settle(due, State.MISSED, null, reason);
    }
    return new Attempt(told.compareTo(left) < 0 ? told : left, reason);
  }

  private static Instant until(Order order, Due due) {
    Instant patience = due.claimedAt().plus(PATIENCE);
    Instant next = order.dueTimes().after(due.dueAt()).orElse(patience);
    boolean late = due.dueAt().isBefore(due.claimedAt().minus(Plan.GRACE));
    return late && next.isBefore(patience) ? patience : next;
  }

  private Attempt settle(Due due, State state, @Nullable UUID job, @Nullable String reason) {
    if (sql.settle(due, state, job, reason)) {
      count(state, 1);
    }
    return Attempt.SETTLED;
  }

  /** Counts what was decided. */
  void count(State state, int firings) {
    meters.counter("millpond.schedule.firings", "state", state.label()).increment(firings);
  }
}
