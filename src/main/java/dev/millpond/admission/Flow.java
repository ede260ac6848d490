package dev.millpond.admission;

import dev.millpond.admission.RoomSql.Others;
import dev.millpond.queue.JobsStarted;
import dev.millpond.queue.JobsStarted.Front;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * How quickly the jobs of one queue start, over all nodes, and when those who found no room should
 * come back. Times are {@code nanoTime} values, passed in.
 */
final class Flow {

  /** From this part of the cap on, room is for those who were told to come for it. */
  static final double CROWDED = 0.9;

  /** So many times as long as the rate has been the same it is taken to stay so. */
  static final int RELIED_ON = 3;

  /** For so long a rate that other nodes tell of is taken to have been the same. */
  private static final Duration TOLD_STEADY = Duration.ofMinutes(1);

  private static final Duration TELL = Duration.ofSeconds(1);

  /** For so long after jobs have started, others are expected to. */
  private static final Duration MOVING = Duration.ofSeconds(10);

  /** For so long after a word of jobs that wait for keys, there are such. */
  private static final Duration LINED = Duration.ofMinutes(1);

  /** A rate that changed by less is not worth a statement. */
  private static final double WORTH_TELLING = 0.1;

  /** All guarded by this. */
  private final DrainRate rate;

  private final WaitingLine line;
  private final Turns turns = new Turns();
  private final Estimates estimates = new Estimates();
  private final Waits waits = new Waits();
  private double told;
  private long toldAt = System.nanoTime();

  /** Starts a second on the other nodes. */
  private double elsewhere;

  /** Guards itself. */
  private final Shares shares = new Shares();

  /** How many nodes send clients away, this one included. */
  private int refusing = 1;

  /** When this node last did ({@code nanoTime}), if ever. */
  private long refusedAt;

  private boolean refused;

  /** How long the job last started had waited, and when that was. */
  private Duration frontWaited = Duration.ZERO;

  /** The lowest priority among the jobs that started last. */
  private int frontPriority = Integer.MAX_VALUE;

  private int capInTime = Integer.MAX_VALUE;
  private long frontAt = System.nanoTime();

  /** When it was last heard that jobs wait for keys; long ago if never. */
  private long linedAt = frontAt - LINED.toNanos();

  /** When jobs last started on any node, as far as this one knows; long ago if never. */
  private long movedAt = frontAt - MOVING.toNanos();

  /**
   * @param longestRetryAfter beyond it nobody is booked a turn
   * @param believed starts a second on this node in a former life; 0 if unknown
   */
  Flow(Duration longestRetryAfter, double believed) {
    this.rate = new DrainRate(believed);
    this.line = new WaitingLine(longestRetryAfter);
  }

  /**
   * Jobs started.
   *
   * @param more whether others were left waiting
   */
  synchronized void started(JobsStarted started, boolean more, long now) {
    rate.started(started.waits().size(), more, now);
    started.waits().forEach(waits::add);
    started.fronts().forEach(front -> turns.started(front.priority(), front.count(), front.rank()));
    frontWaited = started.waits().getLast();
    frontPriority = started.fronts().stream().mapToInt(Front::priority).min().orElse(frontPriority);
    frontAt = now;
    movedAt = now;
  }

  /** Nothing of the queue may start for now: that is no silence to learn from. */
  synchronized void paused() {
    rate.interrupted();
  }

  /** A job has come to the line of a concurrency key, or left it. */
  synchronized void lined(long now) {
    linedAt = now;
  }

  /** Whether jobs wait for keys, as far as it was heard lately. */
  synchronized boolean hasLine(long now) {
    return now - linedAt < LINED.toNanos();
  }

  /** Whether jobs that have waited for keys start, on any node. */
  synchronized boolean isMoving(long now) {
    return hasLine(now) && now - movedAt < MOVING.toNanos();
  }

  /** Takes note of what a job that comes now, at the end of the line, would be told. */
  synchronized void estimate(int runnable, long now) {
    if (runnable > 0) {
      wait(runnable, 0, now).ifPresent(wait -> estimates.told(wait, now));
    }
  }

  /**
   * By how much of its wait the estimate was off for a job that starts now after it has waited for
   * the given time; empty if that cannot be told.
   */
  synchronized OptionalDouble error(Duration waited, long now) {
    return estimates.error(waited, now);
  }

  /** For how long the jobs that this node started last had waited; empty if it started none. */
  synchronized Optional<Waits.Percentiles> waits() {
    return waits.percentiles();
  }

  /** What the other nodes tell. */
  synchronized void elsewhere(Others others, long now) {
    elsewhere = others.perSecond();
    refusing = 1 + others.refusing();
    if (turns.learn(others.fronts())) {
      movedAt = now;
    }
  }

  /** The ranks to which jobs have started, by priority; 0 where nothing is known. */
  synchronized List<Long> fronts() {
    return turns.fronts();
  }

  /** How the queue's room is shared between tenants. */
  Shares shares() {
    return shares;
  }

  /**
   * The rank of a job that becomes runnable now, so that tenants take turns; null for the end of
   * the line, where jobs stand while there is one tenant.
   *
   * @param runnable how many jobs were runnable before it
   * @param at the database's time
   */
  synchronized @Nullable Long rank(Submission job, int runnable, Instant at, long now) {
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, at);
    if (runnable == 0) {
      turns.idle(micros);
    }
    String tenant = Objects.requireNonNullElse(job.tenant(), "");
    int tenants = shares.active(now);
    long rank = turns.rank(job.priority(), tenant, runnable, tenants, micros);
    return tenants > 1 ? Long.valueOf(rank) : null;
  }

  /** Starts a second on this node. */
  synchronized OptionalDouble here(long now) {
    return rate.perSecond(now);
  }

  /**
   * Whether the other nodes, or a later life of this one, should be told of the rate: once a
   * second, and only if it changed or others wait for it.
   */
  synchronized boolean isToTell(boolean others, long now) {
    if (now - toldAt < TELL.toNanos()) {
      return false;
    }
    double here = here(now).orElse(0);
    boolean tell =
        Math.abs(here - told) > told * WORTH_TELLING
            || (others && (now - frontAt < TELL.toNanos() || hasRefused(TELL, now)));
    if (tell) {
      toldAt = now;
      told = here;
    }
    return tell;
  }

  /** Starts a second on all nodes; empty if unknown. */
  synchronized OptionalDouble drainRate(long now) {
    OptionalDouble here = here(now);
    return here.isPresent() || elsewhere > 0
        ? OptionalDouble.of(here.orElse(0) + elsewhere)
        : OptionalDouble.empty();
  }

  /**
   * Whether room that is there must be kept for others: for those whose turn has come, when there
   * is little. Otherwise they would be sent away again and again by those who come anew. Between
   * tenants it is their shares that decide.
   */
  synchronized boolean isForOthers(@Nullable String client, int depth, int cap, long now) {
    return depth >= cap * CROWDED && shares.active(now) == 1 && line.isEarly(client, now);
  }

  /**
   * How many jobs of a stream may come in now for all that the others are due, whatever room there
   * is. While clients wait for their turns, it is all of the room that is not kept for them, and
   * one job when its own turn has come.
   */
  synchronized int allowance(@Nullable String client, int depth, int cap, long now) {
    if (shares.active(now) > 1 || line.isFor(client, now)) {
      return Integer.MAX_VALUE;
    }
    int free = (int) Math.ceil(cap * CROWDED) - depth;
    return free > 0 ? free : line.isEarly(client, now) ? 0 : 1;
  }

  /** A client got in. */
  synchronized void entered(@Nullable String client, long now) {
    line.entered(client, now);
  }

  /** A client found no room. */
  synchronized void foundNoRoom(@Nullable String client, long now) {
    line.foundNoRoom(client, now);
  }

  /**
   * Books the next turn for a client that was sent away; the nodes that do so share the line.
   *
   * @param all starts a second on all nodes
   */
  synchronized Duration book(@Nullable String client, OptionalDouble all, long now) {
    refused = true;
    refusedAt = now;
    OptionalDouble part =
        all.isPresent() ? OptionalDouble.of(all.getAsDouble() / refusing) : OptionalDouble.empty();
    Duration steady = elsewhere > here(now).orElse(0) ? TOLD_STEADY : rate.steady(now);
    return line.book(
        client,
        part,
        steady.multipliedBy(RELIED_ON),
        now,
        ThreadLocalRandom.current().nextDouble());
  }

  /**
   * How long a new job waits; empty if that is not known.
   *
   * @param runnable how many jobs wait for nothing but a slot
   */
  synchronized Optional<Duration> wait(int runnable, int priority, long now) {
    if (runnable == 0 || priority > frontPriority) {
      return Optional.of(Duration.ZERO);
    }
    double all = drainRate(now).orElse(0);
    return all > 0
        ? Optional.of(Duration.ofMillis((long) (1_000.0 * runnable / all)))
        : Optional.empty();
  }

  /**
   * Sets the cap in time: by Little's law, as many jobs as start within it.
   *
   * @param maxWait null for none
   * @param later how many jobs wait for their time, which do not count
   * @param least how many jobs are let in all the same
   */
  synchronized void limit(@Nullable Duration maxWait, int later, int least, long now) {
    OptionalDouble all = maxWait == null ? OptionalDouble.empty() : drainRate(now);
    if (maxWait == null || all.isEmpty()) {
      capInTime = Integer.MAX_VALUE;
    } else {
      double jobs = Math.max(least, all.getAsDouble() * maxWait.toMillis() / 1_000) + later;
      // Small changes of the rate are no reason to balance the permits anew.
      if (capInTime == Integer.MAX_VALUE
          || Math.abs(jobs - capInTime) > WORTH_TELLING * capInTime) {
        capInTime = (int) Math.min(jobs, Integer.MAX_VALUE - 1);
      }
    }
  }

  synchronized int capInTime() {
    return capInTime;
  }

  /** Whether this node has sent somebody away in the time before now. */
  synchronized boolean hasRefused(Duration within, long now) {
    return refused && now - refusedAt < within.toNanos();
  }

  /**
   * Roughly how many of the runnable jobs are before one that has waited for the given time: jobs
   * are taken to have come evenly since the one that started last.
   */
  synchronized int ahead(int runnable, Duration waited, long now) {
    double front = frontWaited.toNanos() + (double) (now - frontAt);
    double share = front <= 0 ? 0 : 1 - Math.min(1, waited.toNanos() / front);
    return (int) Math.round(Math.max(0, runnable - 1) * share);
  }
}
