package dev.millpond.admission;

import java.time.Duration;
import java.util.OptionalDouble;

/**
 * How many jobs of a queue start in a second while others wait: what a queue's length is divided by
 * to tell a time. The mean over a window of busy time that is as long as it may be while the rate
 * stays the same: where its newer part disagrees with the older one, the older one is forgotten
 * (after Bifet and Gavaldà, <i>Learning from Time-Changing Data with Adaptive Windowing</i>, 2007).
 * Idle time neither counts nor fades what was learnt. Not thread-safe. Times are {@code nanoTime}
 * values, passed in.
 */
final class DrainRate {

  /**
   * The window is a row of spans of busy time. Each has a start at its end, so that a slow queue
   * has long spans and a window that still tells something.
   */
  private static final int MOST_SPANS = 40;

  private static final double SPAN_SECONDS = 0.5;

  /** A rate from less busy time than this is a guess. */
  private static final double KNOWN_AFTER_SECONDS = 0.25;

  /** Until then what is believed from an earlier life has a part in it. */
  private static final double TRUSTED_AFTER_SECONDS = 2;

  /** So many spans tell how much the starts of this queue clump, which is no change of its rate. */
  private static final int TELLING_SPANS = 4;

  /** Less than this may be one pause of a process. */
  private static final double NEWER_SECONDS = 1;

  /** How many standard deviations a change is; a wrong guess only shortens the window. */
  private static final double CHANGE = 4;

  /** After a silence of so many mean spans the rate falls; after so many, nothing drains. */
  private static final double SILENT_SPANS = 2;

  private static final double STUCK_SPANS = 10;

  /** What is believed from an earlier life is taken to have been the same for so long. */
  private static final double BELIEVED_SECONDS = 60;

  private final double believed;

  /** Closed spans, the oldest first. */
  private final double[] starts = new double[MOST_SPANS];

  private final double[] seconds = new double[MOST_SPANS];
  private int spans;

  /** Busy time since the rate last changed. */
  private double steadySeconds;

  /** Whether the oldest span is a silence after which the queue was called stuck. */
  private boolean silent;

  /** The span under way, until the last start. */
  private double openStarts;

  private double openSeconds;

  /** Jobs that started when the others began to wait. */
  private int first;

  private long last;
  private boolean busy;

  DrainRate() {
    this(0);
  }

  /**
   * @param believed starts a second until jobs tell better, from an earlier life; 0 if unknown
   */
  DrainRate(double believed) {
    this.believed = believed;
    this.steadySeconds = believed > 0 ? BELIEVED_SECONDS : 0;
  }

  /**
   * Takes note of jobs that started.
   *
   * @param more whether others were left waiting: then the time until the next start counts
   */
  void started(int count, boolean more, long now) {
    if (busy && perSecond(now).orElse(-1) == 0) {
      startAfterSilence(count);
    } else if (busy) {
      openStarts += count;
      openSeconds += seconds(now - last);
      if (openStarts > 0 && openSeconds >= SPAN_SECONDS) {
        close(openStarts, openSeconds);
        openStarts = 0;
        openSeconds = 0;
        forgetWhatChanged();
        if (silent && sum(seconds, 1, spans) >= seconds[0]) {
          forget(1);
        }
      }
    } else {
      first = count;
    }
    last = now;
    busy = more;
  }

  /** None may start for now: the time until the next start does not count. */
  void interrupted() {
    busy = false;
  }

  /** Starts a second up to the last one; empty until jobs have waited long enough to tell. */
  OptionalDouble perSecond() {
    return perSecond(last);
  }

  /**
   * Starts a second; falls while jobs wait and none starts, and is 0 when that has lasted. Empty
   * until jobs have waited long enough to tell.
   */
  OptionalDouble perSecond(long now) {
    double silence = silence(now);
    double time = sum(seconds, 0, spans) + openSeconds;
    double before = silenced(believed, Math.max(SPAN_SECONDS, 1 / believed), silence);
    if (time >= KNOWN_AFTER_SECONDS) {
      double rate = (sum(starts, 0, spans) + openStarts) / time;
      double trust = before > 0 ? Math.min(1, time / TRUSTED_AFTER_SECONDS) : 1;
      return OptionalDouble.of(silenced(rate, usualSpan(), silence) * trust + before * (1 - trust));
    }
    if (time + silence < KNOWN_AFTER_SECONDS) {
      return before > 0 ? OptionalDouble.of(before) : OptionalDouble.empty();
    }
    // The first ones may be long jobs in all the slots: then no other has started yet.
    return OptionalDouble.of(Math.max(before, (first + openStarts) / (time + silence)));
  }

  /** For how long jobs have waited and the rate has been the same. */
  Duration steady(long now) {
    return Duration.ofMillis((long) (1_000 * (steadySeconds + openSeconds + silence(now))));
  }

  private double silence(long now) {
    return busy ? Math.max(0, seconds(now - last)) : 0;
  }

  private static double silenced(double rate, double span, double silence) {
    return silence > STUCK_SPANS * span ? 0 : rate * Math.min(1, SILENT_SPANS * span / silence);
  }

  /**
   * Begins a new window with the silence, as far as it was one: it may have been a pause, which is
   * forgotten when the queue has run for as long, or the rhythm of jobs that take long.
   */
  private void startAfterSilence(int count) {
    double stuckAfter = STUCK_SPANS * usualSpan();
    forget(spans);
    openStarts = 0;
    openSeconds = 0;
    close(count, stuckAfter);
    silent = true;
  }

  private double usualSpan() {
    double time = sum(seconds, 0, spans) + openSeconds;
    return Math.max(SPAN_SECONDS, time / Math.max(1, spans));
  }

  private void close(double count, double time) {
    steadySeconds += time;
    if (spans == MOST_SPANS) {
      drop(1);
    }
    starts[spans] = count;
    seconds[spans] = time;
    spans++;
  }

  private void forgetWhatChanged() {
    int change = 0;
    double most = CHANGE;
    for (int split = TELLING_SPANS; split < spans; split++) {
      double deviations =
          sum(seconds, split, spans) < NEWER_SECONDS ? 0 : deviations(0, split, split, spans);
      if (deviations > most) {
        change = split;
        most = deviations;
      }
    }
    forget(change);
    // The change was within a span, which is like neither those before nor those after it.
    if (spans > TELLING_SPANS && deviations(1, spans, 0, 1) > CHANGE) {
      forget(1);
    }
  }

  /** How far some spans are from what others let expect, in standard deviations. */
  private double deviations(int othersFrom, int othersTo, int from, int to) {
    double othersSeconds = sum(seconds, othersFrom, othersTo);
    double rate = sum(starts, othersFrom, othersTo) / othersSeconds;
    double clumping = 0; // 1 where starts are independent of each other
    for (int span = othersFrom; span < othersTo; span++) {
      double expected = rate * seconds[span];
      clumping += Math.pow(starts[span] - expected, 2) / expected / (othersTo - othersFrom - 1);
    }
    double time = sum(seconds, from, to);
    double expected = rate * time;
    double variance = Math.max(1, clumping) * expected * (1 + time / othersSeconds);
    return Math.abs(sum(starts, from, to) - expected) / Math.sqrt(variance + 1);
  }

  private void forget(int oldest) {
    if (oldest > 0) {
      drop(oldest);
      steadySeconds = sum(seconds, 0, spans);
    }
  }

  private void drop(int oldest) {
    silent &= oldest == 0;
    System.arraycopy(starts, oldest, starts, 0, spans - oldest);
    System.arraycopy(seconds, oldest, seconds, 0, spans - oldest);
    spans -= oldest;
  }

  private static double sum(double[] values, int from, int to) {
    double sum = 0;
    for (int n = from; n < to; n++) {
      sum += values[n];
    }
    return sum;
  }

  private static double seconds(long nanos) {
    return nanos / (double) Duration.ofSeconds(1).toNanos();
  }
}
