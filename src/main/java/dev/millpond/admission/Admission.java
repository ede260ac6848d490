package dev.millpond.admission;

import dev.millpond.admission.AdmissionSql.UsedKey;
import dev.millpond.admission.JobStream.Line;
import dev.millpond.admission.Reservation.Demand;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.GroupCommit;
import dev.millpond.job.Job;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.lease.Leases;
import dev.millpond.queue.DependenciesDue;
import dev.millpond.queue.DepthChanged;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.LineChanged;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.UnknownQueue;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.annotation.PreDestroy;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.NonTransientDataAccessException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * The one way in for jobs. A job is accepted when its row is committed, and never before: many
 * submits share one commit.
 */
@Component
public class Admission {

  /** How many submits may wait for the writer, and how long. */
  private static final int MAX_WAITING = 10_000;

  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** A stream has time: longer than the database takes to answer, or to be found gone. */
  private static final Duration STREAM_PATIENCE = Duration.ofSeconds(35);

  private static final int MAX_GROUP_ROWS = 1_000;

  /**
   * How often a submit is tried whose account was closed under it, or whose unique key is held by a
   * job that was just being moved.
   */
  private static final int TRIES = 5;

  private final Queues queues;
  private final Permits permits;
  private final AdmissionSql sql;
  private final Uniqueness uniqueness;
  private final JobIds ids;
  private final DatabaseClock clock;
  private final Leases leases;
  private final ApplicationEventPublisher events;
  private final MeterRegistry meters;
  private final Duration keyRetention;
  private final GroupCommit<List<Write>, List<Write.Outcome>> writer;

  /** Apart, since they may have to wait for predecessors that are being changed. */
  private final GroupCommit<List<Write>, List<Write.Outcome>> dependentWriter;

  Admission(
      Queues queues,
      Permits permits,
      AdmissionSql sql,
      Uniqueness uniqueness,
      DependentWrites dependents,
      JobIds ids,
      DatabaseClock clock,
      Leases leases,
      ApplicationEventPublisher events,
      MeterRegistry meters,
      AdmissionProperties properties) {
    this.queues = queues;
    this.permits = permits;
    this.sql = sql;
    this.uniqueness = uniqueness;
    this.ids = ids;
    this.clock = clock;
    this.leases = leases;
    this.events = events;
    this.meters = meters;
    this.keyRetention = properties.keyRetention();
    this.writer = writer("submits", uniqueness::write);
    this.dependentWriter = writer("dependent submits", dependents::write);
  }

  /** What is handed in is what one request has to write: the lines of a stream, say. */
  private static GroupCommit<List<Write>, List<Write.Outcome>> writer(
      String name, Function<List<Write>, List<Write.Outcome>> write) {
    return new GroupCommit<>(
        name,
        MAX_WAITING,
        MAX_GROUP_ROWS,
        writes -> writes.stream().mapToInt(one -> one.entries().size()).sum(),
        group -> {
          Iterator<Write.Outcome> outcomes =
              write.apply(group.stream().flatMap(List::stream).toList()).iterator();
          return group.stream()
              .map(writes -> writes.stream().map(_ -> outcomes.next()).toList())
              .toList();
        });
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
          .flatMap(sql::find)
          .map(used -> replay(used, Objects.requireNonNull(key)))
          .orElse(new Decision.Accepted(List.of()));
    }
    Decision decision = admitNew(queue, jobs, key, whole);
    return switch (decision) {
      case Decision.Full _,
          Decision.TenantOverShare _,
          Decision.DeadlineUnreachable _,
          Decision.BatchExceedsCap _ ->
          knownOr(decision, key);
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

  /**
   * Few requests are repeated, so that the key is looked for only when its jobs were not written.
   */
  private Decision knownOr(Decision refusal, @Nullable RequestKey key) {
    return key == null ? refusal : sql.find(key).map(used -> replay(used, key)).orElse(refusal);
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
        return List.of(JobStream.Answer.of(knownOr(late.get(), lines.getFirst().key())));
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
      return await(reservation, writes, STREAM_PATIENCE);
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

  /**
   * What the writer says.
   *
   * @param decision null if it is to be tried again, or there was a failure: nothing was written
   */
  private record Answer(
      @Nullable Decision decision, List<Entry> written, @Nullable RuntimeException failure) {

    Answer(@Nullable Decision decision, List<Entry> written) {
      this(decision, written, null);
    }

    Answer(Decision decision) {
      this(decision, List.of());
    }

    boolean isToTryAgain() {
      return decision == null && failure == null;
    }
  }

  /** Empty if it is to be tried again: then nothing was written. */
  private Optional<Decision> write(Reservation reservation, Write write) {
    List<Answer> answers = List.of(new Answer(null, List.of()));
    try {
      answers = await(reservation, List.of(write), PATIENCE);
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

  /** Hands writes to one commit, dependent ones or none, and waits for what becomes of each. */
  private List<Answer> await(Reservation reservation, List<Write> writes, Duration patience) {
    GroupCommit<List<Write>, List<Write.Outcome>> to =
        writes.getFirst().isDependent() ? dependentWriter : writer;
    CompletableFuture<List<Write.Outcome>> result;
    try {
      result = to.add(writes);
    } catch (IllegalStateException full) {
      return alike(writes, new Answer(new Decision.Overloaded()));
    }
    try {
      List<Write.Outcome> outcomes = result.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      return IntStream.range(0, writes.size())
          .mapToObj(place -> told(reservation, writes.get(place), outcomes.get(place)))
          .toList();
    } catch (TimeoutException late) {
      boolean unwritten = to.withdraw(result);
      return alike(
          writes, unwritten ? new Answer(new Decision.Overloaded()) : unknown(reservation));
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return alike(writes, unknown(reservation));
    } catch (ExecutionException failed) {
      Decision decision = failed(writes, failed.getCause());
      return alike(
          writes,
          decision instanceof Decision.OutcomeUnknown
              ? unknown(reservation)
              : new Answer(decision));
    }
  }

  private static List<Answer> alike(List<Write> writes, Answer answer) {
    return Collections.nCopies(writes.size(), answer);
  }

  private Answer unknown(Reservation reservation) {
    permits.doubt(reservation.books());
    return new Answer(new Decision.OutcomeUnknown());
  }

  /** The others may be committed: what cannot be told of one is no failure of theirs. */
  private Answer told(Reservation reservation, Write write, Write.Outcome outcome) {
    try {
      return answer(reservation, write, outcome);
    } catch (DataAccessException | TransactionException failure) {
      return new Answer(null, List.of(), failure);
    }
  }

  private Answer answer(Reservation reservation, Write write, Write.Outcome outcome) {
    return switch (outcome.result()) {
      case WRITTEN ->
          new Answer(
              outcome.isMerged()
                  ? new Decision.Merged(outcome.placed())
                  : new Decision.Accepted(outcome.written().stream().map(Entry::toJob).toList()),
              outcome.written());
      case KEY_TAKEN -> new Answer(taken(write));
      case ACCOUNT_CLOSED -> {
        permits.doubt(reservation.books());
        yield new Answer(null, List.of());
      }
      case PREDECESSORS_GONE ->
          new Answer(knownOr(new Decision.PredecessorsGone(outcome.gone()), write.key()));
      case PREDECESSORS_MOVING -> new Answer(new Decision.Overloaded());
      case DUPLICATE -> new Answer(uniqueness.duplicate(write, outcome));
      case MOVING -> {
        uniqueness.await(outcome);
        yield new Answer(null, List.of());
      }
    };
  }

  private static Decision failed(List<Write> writes, @Nullable Throwable cause) {
    Write write = writes.getFirst();
    return switch (cause) {
      case CannotGetJdbcConnectionException away -> throw away;
      case PessimisticLockingFailureException one when writes.size() > 1 -> throw one;
      // Another submit holds a key and does not commit.
      case PessimisticLockingFailureException e when write.isUnique() -> new Decision.Overloaded();
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
    return used.isOf(key)
        ? new Decision.Replayed(used.jobs(), used.merged())
        : new Decision.KeyReused();
  }

  /** How full the queue is now; touches no database. */
  public Pressure pressure(QueueName queue) {
    int cap = permits.cap(queue);
    return new Pressure(
        cap, permits.depth(queue), permits.room(queue, cap), permits.drainRate(queue));
  }

  /** What came of sending finished jobs back into their queue. */
  public sealed interface Redrive {

    /**
     * So many wait again; the others were not finished, or are so no more, or another job holds
     * their unique keys.
     */
    record Done(int jobs) implements Redrive {}

    /** Another job holds the unique key of the only one. */
    record Duplicate(UUID holder) implements Redrive {}

    /** They were not let in, or their account was closed again and again. */
    record Refused(Decision.Refused why) implements Redrive {}
  }

  /** Queues a finished job again, if the queue has room. */
  public Redrive redrive(Job job) {
    QueueName queue = new QueueName(job.queue());
    List<JobRef> jobs = List.of(new JobRef(job.id(), job.tenant()));
    Redrive redrive = redrive(queue, jobs, JobState.FINAL, Duration.ZERO, Duration.ZERO);
    return redrive.equals(new Redrive.Done(0))
        ? uniqueness.holder(job.id()).<Redrive>map(Redrive.Duplicate::new).orElse(redrive)
        : redrive;
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
    dependentWriter.close();
  }
}
