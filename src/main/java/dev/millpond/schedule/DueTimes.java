package dev.millpond.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** When a schedule is due. Pure: every node comes to the same moments. */
public sealed interface DueTimes permits Cron, Every {

  /** The first due time later than a moment; empty if there is none any more. */
  Optional<Instant> after(Instant moment);

  /** The next due times later than a moment. */
  default List<Instant> next(Instant moment, int count) {
    List<Instant> next = new ArrayList<>();
    Optional<Instant> due = after(moment);
    while (due.isPresent() && next.size() < count) {
      next.add(due.get());
      due = after(due.get());
    }
    return next;
  }

  /**
   * The last due times of a span, in order.
   *
   * @param after the span's beginning, which is not in it
   * @param upTo its end, which is
   * @param most how many at most; earlier ones are left out, and hardly looked at
   */
  default List<Instant> last(Instant after, Instant upTo, int most) {
    // There is no way back in a calendar: from a point that is near first, then further away.
    for (Duration back = Duration.ofHours(1); ; back = back.multipliedBy(8)) {
      Instant near = upTo.minus(back);
      Instant from = near.isAfter(after) ? near : after;
      List<Instant> last = walk(from, upTo, most);
      if (last.size() == most || from.equals(after)) {
        return last;
      }
    }
  }

  private List<Instant> walk(Instant after, Instant upTo, int most) {
    Deque<Instant> last = new ArrayDeque<>();
    Optional<Instant> due = after(after);
    while (due.isPresent() && !due.get().isAfter(upTo)) {
      if (last.size() == most) {
        last.removeFirst();
      }
      last.addLast(due.get());
      due = after(due.get());
    }
    return List.copyOf(last);
  }
}
