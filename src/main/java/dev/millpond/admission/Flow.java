package dev.millpond.admission;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How quickly the jobs of one queue start, over all nodes, and when those who found no room should
 * come back. Times are {@code nanoTime} values, passed in.
 */
final class Flow {

  private static final Duration TELL = Duration.ofSeconds(1);

  /** A rate that changed by less is not worth a statement. */
  private static final double WORTH_TELLING = 0.1;

  /** All guarded by this. */
  private final DrainRate rate = new DrainRate();

  private final WaitingLine line;

  private OptionalDouble remembered = OptionalDouble.empty();
  private double told;
  private long toldAt = System.nanoTime();

  /** Starts a second on the other nodes. */
  private double elsewhere;

  /** How many nodes send clients away, this one included. */
  private int refusing = 1;

  /** When this node last did ({@code nanoTime}), if ever. */
  private long refusedAt;

  private boolean refused;

  /** How long the job last started had waited, and when that was. */
  private Duration frontWaited = Duration.ZERO;

  private long frontAt = System.nanoTime();

  Flow(Duration longestRetryAfter) {
    this.line = new WaitingLine(longestRetryAfter);
  }

  /** Jobs started. */
  synchronized void started(int jobs, boolean more, Duration waited, long now) {
    rate.started(jobs, more, now);
    frontWaited = waited;
    frontAt = now;
  }

  /** What the other nodes tell. */
  synchronized void elsewhere(double startsPerSecond, int nodesRefusing) {
    elsewhere = startsPerSecond;
    refusing = 1 + nodesRefusing;
  }

  /** What was known in a former life of this node holds until something is known. */
  synchronized void remember(double perSecond) {
    remembered = perSecond > 0 ? OptionalDouble.of(perSecond) : OptionalDouble.empty();
  }

  /** Starts a second on this node. */
  synchronized OptionalDouble here() {
    OptionalDouble measured = rate.perSecond();
    return measured.isPresent() ? measured : remembered;
  }

  /**
   * Whether the other nodes, or a later life of this one, should be told of the rate: once a
   * second, and only if it changed or others wait for it.
   */
  synchronized boolean isToTell(boolean others, long now) {
    if (now - toldAt < TELL.toNanos()) {
      return false;
    }
    double here = here().orElse(0);
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
  synchronized OptionalDouble drainRate() {
    OptionalDouble here = here();
    return here.isPresent() || elsewhere > 0
        ? OptionalDouble.of(here.orElse(0) + elsewhere)
        : OptionalDouble.empty();
  }

  /** Books the next turn for a client that was sent away; the nodes that do so share the line. */
  synchronized Duration book(long now) {
    refused = true;
    refusedAt = now;
    OptionalDouble all = drainRate();
    OptionalDouble part =
        all.isPresent() ? OptionalDouble.of(all.getAsDouble() / refusing) : OptionalDouble.empty();
    return line.book(part, now, ThreadLocalRandom.current().nextDouble());
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
