package dev.millpond.queue;

import java.time.Duration;

/**
 * How quickly the jobs of a queue may start, over all nodes: evenly spread, and what came late is
 * caught up with for a tenth of the period. So no more than 1.1 times as many, and one, start
 * within any one period, and as many as are allowed in the long run (a generic cell rate algorithm,
 * ITU-T I.371).
 *
 * @param starts how many in a period, at least 1
 * @param per the period, at least a second
 */
public record StartRate(int starts, Duration per) {

  private static final int CAUGHT_UP = 10;

  /** From one start to the next. */
  public Duration interval() {
    return per.dividedBy(starts);
  }

  /** How late a start may be without making those behind it later. */
  public Duration tolerance() {
    return per.dividedBy(CAUGHT_UP);
  }
}
