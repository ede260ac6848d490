package dev.millpond.admission;

import dev.millpond.admission.AdmissionSql.UsedKey;
import dev.millpond.admission.Reservation.Demand;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.GroupCommit;
import dev.millpond.job.Job;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.lease.Leases;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * The one way in for jobs. A job is accepted when its row is committed, and never before: many
 * submits share one commit.
 */
@Component
public class Admission {

  /** How many submits may wait for the writer, and how long. */
  private static final int MAX_WAITING = 10_000;

  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int MAX_GROUP_ROWS = 1_000;

  /** How often a submit is tried whose account was closed under it. */
  private static final int TRIES = 2;

  private final Queues queues;
  private final Permits permits;
  private final AdmissionSql sql;
  private final JobIds ids;
  private final DatabaseClock clock;
  private final Leases leases;
  private final ApplicationEventPublisher events;
  private final MeterRegistry meters;
  private final Duration keyRetention;
  private final GroupCommit<Write, Write.Result> writer;

  Admission(
      Queues queues,
      Permits permits,
      AdmissionSql sql,
      JobIds ids,
      DatabaseClock clock,
      Leases leases,
      ApplicationEventPublisher events,
      MeterRegistry meters,
      AdmissionProperties properties) {
    this.queues = queues;
    this.permits = permits;
    this.sql = sql;
    this.ids = ids;
    this.clock = clock;
    this.leases = leases;
    this.events = events;
    this.meters = meters;
    this.keyRetention = properties.keyRetention();
    this.writer =
        new GroupCommit<>(
            "submits", MAX_WAITING, MAX_GROUP_ROWS, write -> write.entries().size(), sql::submit);
  }

  /**
   * Accepts jobs together or not at all.
   *
   * @param jobs none where all of a request were refused beforehand: its key may still be known
   * @param key the request's idempotency key; null for none
   * @throws dev.millpond.queue.UnknownQueue if the queue must not be created
   * @throws DataAccessException if the database is away: nothing was accepted
   */
  public Decision admit(QueueName queue, List<Submission> jobs, @Nullable RequestKey key) {
    if (jobs.isEmpty()) {
      return Optional.ofNullable(key)
          .flatMap(sql::find)
          .map(used -> replay(used, Objects.requireNonNull(key)))
          .orElse(new Decision.Accepted(List.of()));
    }
    Decision decision = admitNew(queue, jobs, key);
    return switch (decision) {
      case Decision.Full _,
          Decision.TenantOverShare _,
          Decision.DeadlineUnreachable _,
          Decision.BatchExceedsCap _ ->
          knownOr(decision, key);
      case Decision.Accepted _,
          Decision.Replayed _,
          Decision.KeyReused _,
          Decision.KeyInFlight _,
          Decision.Overloaded _,
          Decision.OutcomeUnknown _ ->
          decision;
    };
  }

  /**
   * Few requests are repeated, so that the key is looked for only when its jobs were not written.
   */
  private Decision knownOr(Decision refusal, @Nullable RequestKey key) {
    return key == null ? refusal : sql.find(key).map(used -> replay(used, key)).orElse(refusal);
  }

  private Decision admitNew(QueueName queue, List<Submission> jobs, @Nullable RequestKey key) {
    int cap = queues.getOrCreate(queue).cap();
    if (jobs.size() > cap) {
      return new Decision.BatchExceedsCap(cap);
    }
    Optional<Decision> late = unreachable(queue, jobs);
    if (late.isPresent()) {
      return late.get();
    }
    List<Demand> demands = demands(jobs);
    for (int i = 0; i < TRIES; i++) {
      switch (permits.reserve(queue, demands, key == null ? null : key.text())) {
        case Decision.Full full -> {
          return full;
        }
        case Decision.TenantOverShare over -> {
          return over;
        }
        case Reservation reservation -> {
          List<Entry> entries = jobs.stream().map(job -> entry(queue, job)).toList();
          Optional<Decision> decision =
              write(reservation, new Write(reservation.account(), entries, key));
          if (decision.isPresent()) {
            return decision.get();
          }
          // The account was closed, because this node was not heard of for too long: once more.
        }
      }
    }
    return new Decision.Overloaded();
  }

  private Entry entry(QueueName queue, Submission job) {
    UUID id = ids.next();
    Instant submittedAt = JobIds.submittedAt(id);
    Instant runAt = job.delay() == null ? job.runAt() : submittedAt.plus(job.delay());
    Long rank = runAt == null ? permits.rank(queue, job, submittedAt) : null;
    return new Entry(id, queue.value(), job, runAt, rank);
  }

  /**
   * A job that the estimate says would start too late is refused now rather than expired later. By
   * the time of another try with a new {@code startBy} as far ahead, the line must be shorter by
   * what it is too long now; the same {@code startBy} is no nearer then.
   */
  private Optional<Decision> unreachable(QueueName queue, List<Submission> jobs) {
    Instant now = clock.now();
    for (Submission job : jobs) {
      if (job.startBy() != null && job.isForNow()) {
        Duration left = Duration.between(now, job.startBy());
        Duration wait = permits.estimatedWait(queue, job.priority()).orElse(Duration.ZERO);
        Duration excess = wait.minus(left);
        if (wait.isPositive() && excess.isPositive()) {
          meters.counter("millpond.submits.refused", "reason", "deadline-unreachable").increment();
          return Optional.of(
              new Decision.DeadlineUnreachable(wait, excess.compareTo(left) < 0 ? excess : null));
        }
      }
    }
    return Optional.empty();
  }

  private static List<Demand> demands(List<Submission> jobs) {
    return jobs.stream()
        .collect(Collectors.groupingBy(job -> Optional.ofNullable(job.tenant())))
        .entrySet()
        .stream()
        .map(
            group ->
                new Demand(
                    group.getKey().orElse(null),
                    group.getValue().size(),
                    (int) group.getValue().stream().filter(Submission::isForNow).count()))
        .toList();
  }

  /** Empty if the account is closed: then nothing was written. */
  private Optional<Decision> write(Reservation reservation, Write write) {
    boolean cancelled = true;
    try {
      Optional<Decision> decision = await(write);
      boolean accepted = decision.filter(Decision.Accepted.class::isInstance).isPresent();
      boolean unknown = decision.filter(Decision.OutcomeUnknown.class::isInstance).isPresent();
      cancelled = !accepted && !unknown;
      if (accepted) {
        meters
            .counter("millpond.jobs.submitted", "queue", reservation.queue().value())
            .increment(reservation.jobs());
        permits.written();
        announce(reservation.queue(), write);
      }
      if (unknown || decision.isEmpty()) {
        permits.doubt(reservation.books());
      }
      return decision;
    } finally {
      if (cancelled) {
        permits.cancel(reservation);
      }
    }
  }

  private void announce(QueueName queue, Write write) {
    if (write.entries().stream().anyMatch(entry -> entry.runAt() == null)) {
      events.publishEvent(new JobsReady(Set.of(queue), false));
    }
    write.entries().stream()
        .map(Entry::runAt)
        .filter(Objects::nonNull)
        .min(Comparator.naturalOrder())
        .map(first -> Duration.between(clock.now(), first))
        .ifPresent(delay -> events.publishEvent(new JobsDelayed(delay)));
  }

  private Optional<Decision> await(Write write) {
    CompletableFuture<Write.Result> result;
    try {
      result = writer.add(write);
    } catch (IllegalStateException full) {
      return Optional.of(new Decision.Overloaded());
    }
    try {
      return switch (result.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        case WRITTEN ->
            Optional.of(new Decision.Accepted(write.entries().stream().map(Entry::toJob).toList()));
        case KEY_TAKEN -> Optional.of(taken(write));
        case ACCOUNT_CLOSED -> Optional.empty();
      };
    } catch (TimeoutException late) {
      return Optional.of(
          writer.withdraw(result) ? new Decision.Overloaded() : new Decision.OutcomeUnknown());
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return Optional.of(new Decision.OutcomeUnknown());
    } catch (ExecutionException failed) {
      return Optional.of(failed(write, failed.getCause()));
    }
  }

  private static Decision failed(Write write, @Nullable Throwable cause) {
    return switch (cause) {
      case CannotGetJdbcConnectionException away -> throw away;
      // Another submit holds the key and does not commit.
      case PessimisticLockingFailureException e when write.key() != null ->
          new Decision.KeyInFlight();
      // The connection broke while the statement was under way.
      case DataAccessResourceFailureException e -> new Decision.OutcomeUnknown();
      case QueryTimeoutException e -> new Decision.OutcomeUnknown();
      case RuntimeException other -> throw other;
      case null, default -> throw new IllegalStateException(cause);
    };
  }

  /** Another submit took the key between the look and the write. */
  private Decision taken(Write write) {
    RequestKey key = Objects.requireNonNull(write.key());
    return sql.find(key).map(used -> replay(used, key)).orElse(new Decision.KeyInFlight());
  }

  private static Decision replay(UsedKey used, RequestKey key) {
    return used.isOf(key) ? new Decision.Replayed(used.jobs()) : new Decision.KeyReused();
  }

  /** How full the queue is now; touches no database. */
  public Pressure pressure(QueueName queue) {
    int cap = permits.cap(queue);
    return new Pressure(
        cap, permits.depth(queue), permits.room(queue, cap), permits.drainRate(queue));
  }

  /** What came of sending finished jobs back into their queue. */
  public sealed interface Redrive {

    /** So many wait again; the others were not finished, or are so no more. */
    record Done(int jobs) implements Redrive {}

    /** They were not let in, or their account was closed again and again. */
    record Refused(Decision.Refused why) implements Redrive {}
  }

  /** Queues a finished job again, if the queue has room. */
  public Redrive redrive(Job job) {
    QueueName queue = new QueueName(job.queue());
    return redrive(
        queue,
        List.of(new JobRef(job.id(), job.tenant())),
        JobState.FINAL,
        Duration.ZERO,
        Duration.ZERO);
  }

  /**
   * Queues finished jobs of one queue again, if it has room for all of them.
   *
   * @param states only those that have ended so
   * @param first how long the first one waits
   * @param step how much longer each one waits than the one before; zero only if {@code first} is
   */
  public Redrive redrive(
      QueueName queue, List<JobRef> jobs, Set<JobState> states, Duration first, Duration step) {
    Map<Optional<String>, Integer> wanted =
        jobs.stream()
            .collect(
                Collectors.groupingBy(
                    job -> Optional.ofNullable(job.tenant()), Collectors.summingInt(_ -> 1)));
    List<UUID> ids = jobs.stream().map(JobRef::id).toList();
    for (int i = 0; i < TRIES; i++) {
      switch (permits.reserve(queue, demands(wanted, first.isZero()), null)) {
        case Decision.Full full -> {
          return new Redrive.Refused(full);
        }
        case Decision.TenantOverShare over -> {
          return new Redrive.Refused(over);
        }
        case Reservation reservation -> {
          Optional<Redrive> done =
              redrive(
                  reservation,
                  () -> leases.redrive(reservation.account(), ids, states, first, step));
          if (done.isPresent()) {
            return done.get();
          }
        }
      }
    }
    return new Redrive.Refused(new Decision.Overloaded());
  }

  /** Empty if the account is closed: then nothing was moved. */
  private Optional<Redrive> redrive(
      Reservation reservation, Supplier<Optional<Map<Optional<String>, Integer>>> statement) {
    try {
      Optional<Map<Optional<String>, Integer>> moved = statement.get();
      permits.written();
      permits.cancel(reservation.without(moved.orElse(Map.of())));
      if (moved.isEmpty()) {
        permits.doubt(reservation.books());
      }
      return moved.map(
          jobs -> new Redrive.Done(jobs.values().stream().mapToInt(count -> count).sum()));
    } catch (DataAccessException unknown) {
      permits.doubt(reservation.books());
      throw unknown;
    }
  }

  private static List<Demand> demands(Map<Optional<String>, Integer> jobs, boolean forNow) {
    return jobs.entrySet().stream()
        .map(e -> new Demand(e.getKey().orElse(null), e.getValue(), forNow ? e.getValue() : 0))
        .toList();
  }

  @Scheduled(fixedDelayString = "PT5M", initialDelayString = "PT1M")
  void forgetKeys() {
    sql.forgetKeys(keyRetention);
  }

  @PreDestroy
  void close() {
    writer.close();
  }
}
