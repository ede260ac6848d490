package dev.millpond.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What is to become of a due time whose moment has come.
 *
 * @param fires false for one that is recorded as missed
 */
record Plan(Instant dueAt, boolean fires) {

  /** How many due times that passed fire at most with {@link Misfire#ALL}. */
  static final int MOST = 1_000;

  /** How late is late: a due time that passed longer ago was missed, and the policy decides. */
  static final Duration GRACE = Duration.ofSeconds(10);

  /** How many that were missed are recorded; no more are kept of a schedule. */
  static final int RECORDED = FiringSql.KEPT;

  /** The due times of a span, in order. */
  static List<Plan> of(DueTimes dueTimes, Misfire misfire, Instant after, Instant now) {
    List<Instant> due = dueTimes.last(after, now, MOST + RECORDED);
    Instant fresh = now.minus(GRACE);
    long late = due.stream().filter(at -> at.isBefore(fresh)).count();
    long first =
        switch (misfire) {
          case SKIP -> late;
          case ONCE -> Math.max(0, late - 1);
          case ALL -> Math.max(0, due.size() - MOST);
        };
    List<Plan> plans = new ArrayList<>();
    for (int i = Math.toIntExact(Math.max(0, first - RECORDED)); i < due.size(); i++) {
      plans.add(new Plan(due.get(i), i >= first));
    }
    return plans;
  }
}
