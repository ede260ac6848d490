package dev.millpond.lease;

import dev.millpond.job.GroupCommit;
import dev.millpond.job.JobError;
import dev.millpond.job.JobState;
import dev.millpond.job.Outcome;
import dev.millpond.job.Watches;
import dev.millpond.lease.JobVerbSql.Moved;
import dev.millpond.lease.LeaseSql.Claimed;
import dev.millpond.lease.LeaseSql.Expired;
import dev.millpond.lease.LeaseSql.Head;
import dev.millpond.lease.LeaseSql.Held;
import dev.millpond.lease.LeaseSql.SettledAs;
import dev.millpond.lease.LeaseSql.SettledRow;
import dev.millpond.lease.LeaseSql.Taken;
import dev.millpond.lease.LeaseSql.Wanted;
import dev.millpond.lease.Settlement.Lost;
import dev.millpond.lease.Settlement.Settled;
import dev.millpond.queue.CallbacksDue;
import dev.millpond.queue.DependenciesDue;
import dev.millpond.queue.DepthChanged;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.JobsStarted;
import dev.millpond.queue.JobsStarted.Front;
import dev.millpond.queue.LineChanged;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.RetryPolicy;
import dev.millpond.queue.StartRate;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/** Who works on what. Every change of a leased job passes here, guarded by the lease's token. */
@Component
public class Leases {

  /** How many settlements may wait for the writer: far more than there are slots. */
  private static final int MAX_WAITING = 100_000;

  private static final int MAX_GROUP = 500;

  /** A queue with a rate limit is looked at so often at least while jobs wait for it. */
  private static final Duration MOST_RATE_PAUSE = Duration.ofMillis(100);

  /** A handler may ask for any delay before the next attempt. */
  private static final Duration LONGEST_DELAY = Duration.ofDays(365);

  private static final Logger log = LoggerFactory.getLogger(Leases.class);

  private final LeaseSql sql;
  private final JobVerbSql verbs;
  private final Queues queues;
  private final Node node;
  private final ApplicationEventPublisher events;
  private final Watches watches;
  private final MeterRegistry meters;
  private final Counter fenced;
  private final UnheardClaims unheard = new UnheardClaims();
  private final GroupCommit<SettledRow, SettledAs> settlements;

  Leases(
      LeaseSql sql,
      JobVerbSql verbs,
      Queues queues,
      Node node,
      ApplicationEventPublisher events,
      Watches watches,
      MeterRegistry meters) {
    this.sql = sql;
    this.verbs = verbs;
    this.queues = queues;
    this.node = node;
    this.events = events;
    this.watches = watches;
    this.meters = meters;
    this.fenced =
        Counter.builder("millpond.settlements.fenced")
            .description("Settlements that changed nothing because their lease was lost")
            .register(meters);
    this.settlements =
        new GroupCommit<>(
            "settlements",
            MAX_WAITING,
            MAX_GROUP,
            row -> 1,
            rows -> booking(node.account(), () -> sql.settle(rows)));
  }

  private <T> T booking(UUID account, Supplier<T> statement) {
    return AccountInDoubt.booking(events, account, statement);
  }

  /** Makes ready what is due, and tells where there is work. */
  public Poll poll() {
    UUID account = node.account();
    List<Head> heads = booking(account, () -> sql.poll(account));
    heads.stream()
        .filter(head -> head.queue() != null && head.promoted() > 0)
        .forEach(head -> booked(account, queue(head), head.tenant(), 0, head.promoted()));
    for (Head head : heads) {
      if (head.key() != null) {
        events.publishEvent(new LineChanged(queue(head), head.key()));
      }
    }
    Duration nextDue =
        heads.stream()
            .map(Head::nextDueMillis)
            .filter(Objects::nonNull)
            .findFirst()
            .map(Duration::ofMillis)
            .orElse(null);
    Set<QueueName> all = names(heads, false);
    all.forEach(queues::found);
    Poll poll = new Poll(all, names(heads, true), nextDue);
    events.publishEvent(poll);
    return poll;
  }

  private static Set<QueueName> names(List<Head> heads, boolean suspectsOnly) {
    return heads.stream()
        .filter(
            head -> head.queue() != null && head.key() == null && (head.suspect() || !suspectsOnly))
        .map(Leases::queue)
        .collect(Collectors.toSet());
  }

  private static QueueName queue(Head head) {
    return new QueueName(Objects.requireNonNull(head.queue()));
  }

  /**
   * Leases the queue's next jobs to this node: by priority, then by how long they could have
   * started. Never more than the queue's limits leave room for, none of a paused queue, and none
   * that only pull workers may claim.
   *
   * @param max how many at most: the caller's free slots
   * @param suspect true for jobs under which a worker died, false for all others
   * @param handled the types that have handlers here: where there are pull workers as well, other
   *     jobs are left to them
   */
  public List<Lease> claim(QueueName queue, int max, boolean suspect, Set<String> handled) {
    int others = suspect ? 0 : max;
    int suspects = suspect ? max : 0;
    return switch (queues.workers(queue)) {
      case SERVICE -> claim(new Wanted(queue, others, suspects, Set.of(), null));
      case BOTH -> claim(new Wanted(queue, others, suspects, handled, null));
      case PULL -> List.of();
    };
  }

  /**
   * Leases a queue's next jobs to a pull worker, in the same order, and at most one at a time under
   * which a worker died. None if the queue has no pull workers.
   */
  public List<Lease> claim(Claim claim) {
    return queues.workers(claim.queue()).mayPull()
        ? claim(new Wanted(claim.queue(), claim.max(), 1, claim.types(), claim))
        : List.of();
  }

  private List<Lease> claim(Wanted wanted) {
    if (unheard.hasUnsought()) {
      giveBackUnheard();
    }
    QueueName queue = wanted.queue();
    Queue settings = queues.find(queue).orElse(null);
    if (settings != null && settings.paused()) {
      return List.of();
    }
    UUID account = node.account();
    Taken taken = take(account, wanted, settings);
    List<Claimed> claimed = taken.jobs();
    claimed.stream()
        .collect(
            Collectors.groupingBy(job -> Optional.ofNullable(job.tenant()), Collectors.counting()))
        .forEach(
            (tenant, jobs) ->
                booked(account, queue, tenant.orElse(null), -jobs.intValue(), -jobs.intValue()));
    List<Lease> leases = claimed.stream().map(Claimed::lease).filter(Objects::nonNull).toList();
    Timer waits = meters.timer("millpond.jobs.wait", "queue", queue.value());
    for (Lease lease : leases) {
      watches.changed(lease.id());
      waits.record(lease.waited());
    }
    int expired = claimed.size() - leases.size();
    if (expired > 0) {
      finished(queue, expired, JobState.EXPIRED, true, true);
      moved(claimed.stream().filter(job -> job.lease() == null).map(Claimed::id).toList());
      // They took the places of jobs that could have started.
      events.publishEvent(new JobsReady(Set.of(queue), wanted.suspects() > 0));
    }
    if (settings != null && settings.rateLimit() != null && leases.size() < wanted.max()) {
      next(settings.rateLimit(), leases.isEmpty(), taken.early())
          .ifPresent(delay -> events.publishEvent(new JobsDelayed(delay)));
    }
    if (!leases.isEmpty()) {
      events.publishEvent(
          new JobsStarted(
              queue,
              leases.size() == wanted.max(),
              leases.stream().map(Lease::waited).toList(),
              fronts(claimed)));
    }
    return leases;
  }

  private Taken take(UUID account, Wanted wanted, @Nullable Queue settings) {
    UUID token = UUID.randomUUID();
    try {
      return booking(account, () -> sql.claim(account, wanted, settings, token));
    } catch (CannotGetJdbcConnectionException notSent) {
      throw notSent;
    } catch (DataAccessResourceFailureException
        | RecoverableDataAccessException
        | TransientDataAccessException lost) {
      unheard.add(token);
      throw lost;
    }
  }

  /** Gives back what was leased by claims whose answers were lost. */
  synchronized void giveBackUnheard() {
    Set<UUID> claims = unheard.all();
    if (!claims.isEmpty()) {
      // What could not be given back is found again by the next sweep.
      settle(sql.leased(claims)).forEach(end -> end.exceptionally(_ -> new Lost()).join());
    }
    unheard.sought(claims);
  }

  /**
   * When to look again at a queue whose rate limit left jobs waiting, if it did: several starts at
   * a time where they are quick, well within what may be caught up with.
   */
  private static Optional<Duration> next(StartRate rate, boolean none, Duration wait) {
    if (none) {
      return Optional.of(wait).filter(Duration::isPositive);
    }
    Duration half = rate.tolerance().dividedBy(2);
    Duration pause = half.compareTo(MOST_RATE_PAUSE) < 0 ? half : MOST_RATE_PAUSE;
    return Optional.of(rate.interval().compareTo(pause) > 0 ? rate.interval() : pause);
  }

  private static List<Front> fronts(List<Claimed> claimed) {
    return claimed.stream().collect(Collectors.groupingBy(Claimed::priority)).entrySet().stream()
        .map(
            lane ->
                new Front(
                    lane.getKey(),
                    lane.getValue().size(),
                    lane.getValue().stream().mapToLong(Claimed::rank).max().orElseThrow()))
        .toList();
  }

  /**
   * Renews leases for their full duration.
   *
   * @return those that are still held, and whether their job was asked to cancel; the others are
   *     lost
   */
  public Map<UUID, Boolean> renew(List<Lease> leases) {
    return leases.isEmpty()
        ? Map.of()
        : sql.renew(leases.stream().map(Heartbeat::of).toList()).stream()
            .collect(Collectors.toMap(Renewed::id, Renewed::cancelRequested));
  }

  /**
   * Renews what pull workers hold, and writes what they tell of it.
   *
   * @return of each whose lease is still held what it is now, in any order; the others are lost
   */
  public List<Renewed> heartbeat(List<Heartbeat> heartbeats) {
    List<Renewed> renewed = sql.renewPulled(heartbeats);
    for (Heartbeat heartbeat : heartbeats) {
      if (!heartbeat.lines().isEmpty()) {
        log(heartbeat);
      }
      if (heartbeat.percent() != null || !heartbeat.lines().isEmpty()) {
        watches.changed(heartbeat.id());
      }
    }
    return renewed;
  }

  /** What is renewed is renewed: a line that cannot be written is no reason to say otherwise. */
  private void log(Heartbeat heartbeat) {
    try {
      sql.log(heartbeat);
    } catch (DataAccessException | TransactionException away) {
      log.warn("Cannot write the log of job {}: {}", heartbeat.id(), away.getMessage());
    }
  }

  /** Writes the progress of a running job; changes nothing if the lease is lost. */
  public void progress(Lease lease, int percent, String message) {
    sql.progress(lease, percent, message);
    watches.changed(lease.id());
  }

  /** Appends to the log of a running job; changes nothing if the lease is lost. */
  public void log(Lease lease, List<LoggedLine> lines) {
    sql.log(lease, lines);
    watches.changed(lease.id());
  }

  /**
   * Ends an attempt: the job becomes final, or waits again. Whether a failure is retried is decided
   * here, by the job's retry policy, for every kind of worker.
   *
   * @return what it came to, once it is committed; sending the same settlement again gives the same
   *     answer. Fails with an {@link IllegalStateException} if too many wait or the service stops
   */
  public CompletableFuture<Settlement> settle(Lease lease, Outcome outcome) {
    return settle(lease.held(), outcome);
  }

  /** The same for workers that know no more than their tokens; answered in the order given. */
  public List<CompletableFuture<Settlement>> settle(List<Ending> endings) {
    // Only a failure asks what was before it.
    List<Ending> failures =
        endings.stream().filter(ending -> ending.outcome() instanceof Outcome.Failed).toList();
    Map<List<UUID>, Held> held =
        failures.isEmpty()
            ? Map.of()
            : sql.held(failures).stream()
                .collect(
                    Collectors.toMap(
                        one -> List.of(one.id(), one.token()), one -> one, (one, same) -> one));
    return endings.stream().map(ending -> settle(held(ending, held), ending.outcome())).toList();
  }

  /**
   * Of what is not held nothing can change any more: how the attempt counts does not matter there.
   */
  private static Held held(Ending ending, Map<List<UUID>, Held> held) {
    Held unknown = new Held(ending.id(), ending.token(), 1, 1, RetryPolicy.DEFAULT);
    return held.getOrDefault(List.of(ending.id(), ending.token()), unknown);
  }

  private CompletableFuture<Settlement> settle(Held held, Outcome outcome) {
    SettledRow row = row(held, outcome, node.account());
    try {
      return settlements.add(row).thenApply(as -> settled(row, as));
    } catch (IllegalStateException full) {
      // Who settles many must hear of each.
      return CompletableFuture.failedFuture(full);
    }
  }

  /** What the attempt's end asks of the database: all of the decision that is not SQL. */
  static SettledRow row(Held held, Outcome outcome, UUID account) {
    UUID id = held.id();
    UUID token = held.token();
    return switch (outcome) {
      case Outcome.Succeeded(String result) ->
          new SettledRow(id, token, "succeeded", result, null, null, 0, account);
      case Outcome.Cancelled() ->
          new SettledRow(id, token, "cancelled", null, null, null, 0, account);
      case Outcome.Released(Duration delay) ->
          new SettledRow(id, token, "released", null, null, null, clamp(delay).toMillis(), account);
      case Outcome.Failed failed -> {
        boolean dead = failed.permanent() || held.failures() >= held.maxAttempts();
        yield new SettledRow(
            id,
            token,
            dead ? "failed" : "retry",
            null,
            failed.error().type(),
            failed.error().message(),
            dead ? 0 : delay(held, failed).toMillis(),
            account);
      }
    };
  }

  private static Duration delay(Held held, Outcome.Failed failed) {
    return failed.retryIn() != null
        ? clamp(failed.retryIn())
        : held.retry().delayAfter(held.failures(), ThreadLocalRandom.current().nextDouble());
  }

  private Settlement settled(SettledRow row, SettledAs as) {
    JobState state = as.state();
    QueueName queue = as.queue();
    if (state == null) {
      fenced.increment();
      return new Lost();
    }
    watches.changed(row.id());
    if (queue != null) {
      tell(row, queue, as, state);
    }
    return new Settled(state);
  }

  private void tell(SettledRow row, QueueName queue, SettledAs as, JobState state) {
    if (state.isFinal()) {
      finished(queue, 1, state, as.calledBack(), as.awaited());
    } else {
      booked(row.account(), queue, as.tenant(), 1, state == JobState.QUEUED ? 1 : 0);
    }
    if (state == JobState.QUEUED || isLimited(queue)) {
      events.publishEvent(new JobsReady(Set.of(queue), as.recoveries() > 0));
    }
    if (as.key() != null && state != JobState.QUEUED) {
      events.publishEvent(new LineChanged(queue, as.key()));
    }
    if (row.delayMillis() > 0) {
      events.publishEvent(new JobsDelayed(Duration.ofMillis(row.delayMillis())));
    }
  }

  private static Duration clamp(Duration delay) {
    Duration positive = delay.isNegative() ? Duration.ZERO : delay;
    return positive.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : positive;
  }

  /** Whether the end of one job lets another one of the queue start. */
  private boolean isLimited(QueueName queue) {
    return queues.find(queue).map(Queue::concurrency).isPresent();
  }

  /**
   * Asks for a job not to run, or to stop running.
   *
   * @return what came of it, once it is committed
   */
  public Cancellation cancel(UUID id) {
    return cancel(List.of(id), true).getOrDefault(id, Cancellation.UNCHANGED);
  }

  /**
   * The same for many jobs, in one commit.
   *
   * @param running whether those that run are asked to stop, too
   * @return what came of each that was changed
   */
  public Map<UUID, Cancellation> cancel(List<UUID> ids, boolean running) {
    UUID account = node.account();
    List<Moved> moved = booking(account, () -> verbs.cancel(account, ids, running));
    moved(moved.stream().filter(job -> job.booked().waiting() != 0).map(Moved::id).toList());
    return moved.stream().collect(Collectors.toMap(Moved::id, job -> cancelled(account, job)));
  }

  private Cancellation cancelled(UUID account, Moved job) {
    watches.changed(job.id());
    if (job.booked().waiting() == 0) {
      events.publishEvent(new CancelRequested(job.id()));
      return Cancellation.REQUESTED;
    }
    withdrawn(account, job.booked(), JobState.CANCELLED);
    return Cancellation.CANCELLED;
  }

  /** Lets a job that waits for a time start now; false if it does not wait for a time. */
  public boolean hurry(UUID id) {
    UUID account = node.account();
    Optional<Booked> moved = booking(account, () -> verbs.hurry(account, id));
    moved.ifPresent(
        job -> {
          booked(account, job);
          moved(List.of(id));
          events.publishEvent(new JobsReady(Set.of(job.queue()), false));
        });
    return moved.isPresent();
  }

  /**
   * Queues finished jobs again, their attempts kept and as many more granted as their retry
   * policies say.
   *
   * @param account the books that have room for them
   * @param states only those that have ended so
   * @param first how long the first one waits
   * @param step how much longer each one waits than the one before
   * @return how many of each tenant wait again, the others have not ended so; empty if the account
   *     is closed
   */
  public Optional<Map<Optional<String>, Integer>> redrive(
      UUID account, List<UUID> ids, Set<JobState> states, Duration first, Duration step) {
    return verbs
        .redrive(account, ids, states, first, step)
        .map(moved -> redriven(account, moved, first, step));
  }

  private Map<Optional<String>, Integer> redriven(
      UUID account, List<Moved> moved, Duration first, Duration step) {
    moved.forEach(job -> watches.changed(job.id()));
    if (first.isZero()) {
      // What waits for its key was reserved as runnable.
      moved.stream()
          .map(Moved::booked)
          .filter(job -> job.runnable() == 0)
          .forEach(job -> booked(account, job.queue(), job.tenant(), 0, -1));
      moved(moved.stream().map(Moved::id).toList());
    }
    moved.stream()
        .filter(job -> job.booked().runnable() > 0)
        .map(job -> job.booked().queue())
        .distinct()
        .forEach(queue -> events.publishEvent(new JobsReady(Set.of(queue), false)));
    if (moved.stream().anyMatch(job -> job.booked().runnable() == 0)) {
      events.publishEvent(new JobsDelayed(first.isPositive() ? first : step));
    }
    return moved.stream()
        .collect(
            Collectors.groupingBy(
                job -> Optional.ofNullable(job.booked().tenant()), Collectors.summingInt(_ -> 1)));
  }

  /** Removes a finished job and all that is stored of it; false if it is not finished. */
  public boolean remove(UUID id) {
    return verbs.remove(id);
  }

  /** Takes back what dead workers hold; see {@link LeaseReaper}. */
  int expire(boolean quiet) {
    UUID account = node.account();
    List<Expired> lost = booking(account, () -> sql.expire(account, quiet));
    for (Expired job : lost) {
      if (job.state().isFinal()) {
        finished(job.queue(), 1, job.state(), true, true);
      } else {
        booked(account, job.queue(), job.tenant(), 1, 1);
        events.publishEvent(new JobsReady(Set.of(job.queue()), true));
      }
    }
    return lost.size();
  }

  /**
   * Fails the attempts of pull workers that have timed out, for the retry policy to decide; see
   * {@link LeaseReaper}. Returns when they are settled.
   */
  void timeOut() {
    JobError error = new JobError(JobError.TIMEOUT, "the attempt took longer than its timeout");
    sql.timedOut().stream()
        .map(held -> settle(held, new Outcome.Failed(error, false, null)))
        .toList()
        // What could not be written is found again by the next sweep.
        .forEach(settlement -> settlement.exceptionally(_ -> new Lost()).join());
  }

  /** Ends waiting jobs that can no longer start in time; returns how many, a bounded number. */
  int expireWaiting() {
    UUID account = node.account();
    List<Booked> late = booking(account, () -> sql.expireWaiting(account));
    late.forEach(job -> withdrawn(account, job, JobState.EXPIRED));
    return late.stream().mapToInt(job -> -job.waiting()).sum();
  }

  private void withdrawn(UUID account, Booked jobs, JobState state) {
    booked(account, jobs);
    finished(jobs.queue(), -jobs.waiting(), state, true, true);
  }

  private void moved(List<UUID> ids) {
    if (!ids.isEmpty()) {
      events.publishEvent(new JobsMoved(ids));
    }
  }

  private void booked(UUID account, Booked booked) {
    booked(account, booked.queue(), booked.tenant(), booked.waiting(), booked.runnable());
  }

  private void booked(
      UUID account, QueueName queue, @Nullable String tenant, int waiting, int runnable) {
    events.publishEvent(new DepthChanged(account, queue, tenant, waiting, runnable));
  }

  /**
   * Jobs have ended.
   *
   * @param calledBack whether somebody may have to be told of it
   * @param awaited whether other jobs may wait for it
   */
  private void finished(
      QueueName queue, int jobs, JobState state, boolean calledBack, boolean awaited) {
    if (awaited) {
      events.publishEvent(new DependenciesDue());
    }
    if (calledBack) {
      events.publishEvent(new CallbacksDue());
    }
    meters
        .counter("millpond.jobs.finished", "queue", queue.value(), "state", state.label())
        .increment(jobs);
  }

  @PreDestroy
  void close() {
    settlements.close();
  }
}
