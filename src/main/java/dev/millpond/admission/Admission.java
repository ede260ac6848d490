package dev.millpond.admission;

import dev.millpond.admission.JobStream.Line;
import dev.millpond.admission.Reservation.Demand;
import dev.millpond.admission.Writers.Answer;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobState;
import dev.millpond.queue.DependenciesDue;
import dev.millpond.queue.DepthChanged;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.LineChanged;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.UnknownQueue;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.NonTransientDataAccessException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * The one way in for jobs. A job is accepted when its row is committed, and never before: many
 * submits share one commit.
 */
@Component
public class Admission {

  /** How long a submit waits for its commit. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** A stream has time: longer than the database takes to answer, or to be found gone. */
  private static final Duration STREAM_PATIENCE = Duration.ofSeconds(35);

  /**
   * How often a submit is tried whose account was closed under it, or whose unique key is held by a
   * job that was just being moved.
   */
  static final int TRIES = 5;

  private final Queues queues;
  private final Permits permits;
  private final Writers writers;
  private final JobIds ids;
  private final DatabaseClock clock;
  private final ApplicationEventPublisher events;
  private final MeterRegistry meters;

  Admission(
      Queues queues,
      Permits permits,
      Writers writers,
      JobIds ids,
      DatabaseClock clock,
      ApplicationEventPublisher events,
      MeterRegistry meters) {
    this.queues = queues;
    this.permits = permits;
    this.writers = writers;
    this.ids = ids;
    this.clock = clock;
    this.events = events;
    this.meters = meters;
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
    return admit(queue, jobs, key, true);
  }

  /**
   * The same, but for those that are refused because of their unique keys: they keep no others out.
   */
  public Decision admitEach(QueueName queue, List<Submission> jobs, @Nullable RequestKey key) {
    return admit(queue, jobs, key, false);
  }

  private Decision admit(
      QueueName queue, List<Submission> jobs, @Nullable RequestKey key, boolean whole) {
    if (jobs.isEmpty()) {
      return Optional.ofNullable(key)
          .flatMap(writers::known)
          .orElse(new Decision.Accepted(List.of()));
    }
    Decision decision = admitNew(queue, jobs, key, whole);
    return switch (decision) {
      case Decision.Full _,
          Decision.TenantOverShare _,
          Decision.DeadlineUnreachable _,
          Decision.BatchExceedsCap _ ->
          writers.knownOr(decision, key);
      case Decision.Accepted _,
          Decision.PredecessorsGone _,
          Decision.Merged _,
          Decision.Duplicate _,
          Decision.Replayed _,
          Decision.KeyReused _,
          Decision.KeyInFlight _,
          Decision.Overloaded _,
          Decision.OutcomeUnknown _ ->
          decision;
    };
  }

  private Decision admitNew(
      QueueName queue, List<Submission> jobs, @Nullable RequestKey key, boolean whole) {
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
          List<Entry> entries = entries(queue, jobs);
          Optional<Decision> decision =
              write(reservation, new Write(reservation.account(), entries, key, whole));
          if (decision.isPresent()) {
            return decision.get();
          }
          // Once more: the account was closed, because this node was not heard of for too long, or
          // the job that holds a unique key was just being moved.
        }
      }
    }
    return new Decision.Overloaded();
  }

  private List<Entry> entries(QueueName queue, List<Submission> jobs) {
    List<Entry> entries = jobs.stream().map(job -> entry(queue, job)).toList();
    Map<String, UUID> refs =
        entries.stream()
            .filter(entry -> entry.job().dependsOn().ref() != null)
            .collect(
                Collectors.toMap(
                    entry -> Objects.requireNonNull(entry.job().dependsOn().ref()), Entry::id));
    return entries.stream()
        .map(entry -> entry.job().isDependent() ? entry.after(predecessors(entry, refs)) : entry)
        .toList();
  }

  private static List<UUID> predecessors(Entry entry, Map<String, UUID> refs) {
    return entry.job().dependsOn().predecessors().stream()
        .map(
            predecessor ->
                switch (predecessor) {
                  case DependsOn.Known(UUID id) -> id;
                  case DependsOn.Ref(String name) -> Objects.requireNonNull(refs.get(name));
                })
        .toList();
  }

  private Entry entry(QueueName queue, Submission job) {
    UUID id = ids.next();
    Instant submittedAt = JobIds.submittedAt(id);
    Instant runAt = job.delay() == null ? job.runAt() : submittedAt.plus(job.delay());
    // Where the unique key may be taken no turn is used up yet.
    boolean ranked = job.isForNow() && job.unique() == null;
    Long rank = ranked ? permits.rank(queue, job, submittedAt) : null;
    return new Entry(id, queue.value(), job, runAt, rank, List.of(), null);
  }

  /**
   * A job that the estimate says would start too late is refused now rather than expired later. By
   * the time of another try with a new {@code startBy} as far ahead, the line must be shorter by
   * what it is too long now; the same {@code startBy} is no nearer then.
   */
  private Optional<Decision> unreachable(QueueName queue, List<Submission> jobs) {
    Optional<Decision> late = jobs.stream().flatMap(job -> late(queue, job).stream()).findFirst();
    late.ifPresent(
        _ ->
            meters
                .counter("millpond.submits.refused", "reason", "deadline-unreachable")
                .increment());
    return late;
  }

  private Optional<Decision> late(QueueName queue, Submission job) {
    if (job.startBy() == null || !job.isForNow()) {
      return Optional.empty();
    }
    Duration left = Duration.between(clock.now(), job.startBy());
    Duration wait = permits.estimatedWait(queue, job.priority()).orElse(Duration.ZERO);
    Duration excess = wait.minus(left);
    return excess.isPositive() && wait.isPositive()
        ? Optional.of(
            new Decision.DeadlineUnreachable(wait, excess.compareTo(left) < 0 ? excess : null))
        : Optional.empty();
  }

  /**
   * Accepts or refuses each of the jobs by itself, as many of the first ones as there is room for;
   * none if there is none.
   */
  List<JobStream.Answer> admitLines(QueueName queue, List<Line> lines, String client) {
    try {
      queues.getOrCreate(queue);
      Submission first = lines.getFirst().job();
      Optional<Decision> late = unreachable(queue, List.of(first));
      if (late.isPresent()) {
        return List.of(JobStream.Answer.of(writers.knownOr(late.get(), lines.getFirst().key())));
      }
      List<Submission> jobs =
          lines.stream()
              .map(Line::job)
              .takeWhile(
                  job -> job.isDependent() == first.isDependent() && late(queue, job).isEmpty())
              .toList();
      return permits
          .reserveFirst(queue, jobs, client)
          .map(reservation -> write(reservation, lines.subList(0, reservation.jobs())))
          .orElse(List.of());
    } catch (UnknownQueue | DataAccessException | TransactionException failure) {
      return Collections.nCopies(lines.size(), JobStream.Answer.of(failure));
    }
  }

  /** None if the account is closed: then nothing was written. */
  private List<JobStream.Answer> write(Reservation reservation, List<Line> lines) {
    List<Write> writes =
        lines.stream()
            .map(
                line ->
                    new Write(
                        reservation.account(),
                        entries(reservation.queue(), List.of(line.job())),
                        line.key(),
                        true))
            .toList();
    List<Answer> answers = answers(reservation, writes);
    settled(reservation, writes, answers);
    return answers.stream().allMatch(Answer::isToTryAgain)
            && !permits.isInForce(reservation.books())
        ? List.of()
        : answers.stream().map(Admission::answer).toList();
  }

  /** What the lines were answered in the end. */
  private List<Answer> answers(Reservation reservation, List<Write> writes) {
    List<Answer> answers = new ArrayList<>(commit(reservation, writes));
    for (int i = 1; i < TRIES && permits.isInForce(reservation.books()); i++) {
      List<Integer> again =
          IntStream.range(0, writes.size())
              .filter(place -> answers.get(place).isToTryAgain())
              .boxed()
              .toList();
      if (again.isEmpty()) {
        break;
      }
      Iterator<Answer> more =
          commit(reservation, again.stream().map(writes::get).toList()).iterator();
      again.forEach(place -> answers.set(place, more.next()));
    }
    return answers;
  }

  /** In one commit; where one of them spoils that, each in its own. */
  private List<Answer> commit(Reservation reservation, List<Write> writes) {
    try {
      return writers.write(reservation, writes, STREAM_PATIENCE);
    } catch (RuntimeException failure) {
      boolean spoilt =
          failure instanceof PessimisticLockingFailureException
              || (failure instanceof NonTransientDataAccessException
                  && !(failure instanceof DataAccessResourceFailureException));
      return spoilt && writes.size() > 1
          ? writes.stream().flatMap(write -> commit(reservation, List.of(write)).stream()).toList()
          : Collections.nCopies(writes.size(), new Answer(null, List.of(), failure));
    }
  }

  private static JobStream.Answer answer(Answer answer) {
    return answer.failure() == null
        ? JobStream.Answer.of(
            Objects.requireNonNullElse(answer.decision(), new Decision.Overloaded()))
        : JobStream.Answer.of(answer.failure());
  }

  static List<Demand> demands(List<Submission> jobs) {
    return jobs.stream()
        .collect(Collectors.groupingBy(job -> Optional.ofNullable(job.tenant())))
        .entrySet()
        .stream()
        .map(
            group ->
                new Demand(
                    group.getKey().orElse(null),
                    group.getValue().size(),
                    (int) group.getValue().stream().filter(Submission::isRunnable).count()))
        .toList();
  }

  /** Empty if it is to be tried again: then nothing was written. */
  private Optional<Decision> write(Reservation reservation, Write write) {
    List<Answer> answers = List.of(new Answer(null, List.of()));
    try {
      answers = writers.write(reservation, List.of(write), PATIENCE);
      RuntimeException failure = answers.getFirst().failure();
      if (failure != null) {
        throw failure;
      }
      return Optional.ofNullable(answers.getFirst().decision());
    } finally {
      settled(reservation, List.of(write), answers);
    }
  }

  /** Tells of what was written, and gives the permits of the rest back. */
  private void settled(Reservation reservation, List<Write> writes, List<Answer> answers) {
    List<Entry> written = answers.stream().flatMap(answer -> answer.written().stream()).toList();
    if (!written.isEmpty()) {
      meters
          .counter("millpond.jobs.submitted", "queue", reservation.queue().value())
          .increment(written.size());
      permits.written();
      announce(reservation.queue(), written);
      if (writes.getFirst().isDependent()) {
        announceDependents(reservation, written);
      }
    }
    List<Submission> left =
        IntStream.range(0, writes.size())
            .boxed()
            .flatMap(place -> left(writes.get(place), answers.get(place)).stream())
            .map(Entry::job)
            .toList();
    if (!left.isEmpty()) {
      permits.cancel(new Reservation(reservation.books(), reservation.queue(), demands(left)));
    }
  }

  /** The entries whose permits are not used up. */
  private static List<Entry> left(Write write, Answer answer) {
    if (answer.decision() instanceof Decision.OutcomeUnknown) {
      return List.of();
    }
    Set<UUID> written = answer.written().stream().map(Entry::id).collect(Collectors.toSet());
    return write.entries().stream().filter(entry -> !written.contains(entry.id())).toList();
  }

  private void announce(QueueName queue, List<Entry> entries) {
    if (entries.stream().anyMatch(entry -> entry.job().isRunnable())) {
      events.publishEvent(new JobsReady(Set.of(queue), false));
    }
    entries.stream()
        .map(Entry::key)
        .filter(Objects::nonNull)
        .distinct()
        .forEach(key -> events.publishEvent(new LineChanged(queue, key)));
    entries.stream()
        .map(Entry::runAt)
        .filter(Objects::nonNull)
        .min(Comparator.naturalOrder())
        .map(first -> Duration.between(clock.now(), first))
        .ifPresent(delay -> events.publishEvent(new JobsDelayed(delay)));
  }

  /** Those whose predecessors have all ended wait for nothing but a slot, which was not known. */
  private void announceDependents(Reservation reservation, List<Entry> written) {
    written.stream()
        .filter(
            entry ->
                entry.job().isDependent()
                    && entry.key() == null
                    && entry.toJob().state() == JobState.QUEUED)
        .collect(
            Collectors.groupingBy(
                entry -> Optional.ofNullable(entry.job().tenant()), Collectors.summingInt(_ -> 1)))
        .forEach(
            (tenant, runnable) ->
                events.publishEvent(
                    new DepthChanged(
                        reservation.account(),
                        reservation.queue(),
                        tenant.orElse(null),
                        0,
                        runnable)));
    if (written.stream().anyMatch(entry -> entry.toJob().state() == JobState.QUEUED)) {
      events.publishEvent(new JobsReady(Set.of(reservation.queue()), false));
    }
    // Some may wait for an end that is to cancel them.
    events.publishEvent(new DependenciesDue());
  }

  /** How full the queue is now; touches no database. */
  public Pressure pressure(QueueName queue) {
    int cap = permits.cap(queue);
    return new Pressure(
        cap, permits.depth(queue), permits.room(queue, cap), permits.drainRate(queue));
  }
}
