package dev.millpond.admission;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which clients were told to come, and when. One that can be told from others keeps its turn; the
 * turns of the rest are for whoever comes when they are due. A turn is kept for a while after its
 * time, until {@link #forgetLate}. Not thread-safe. Times are {@code nanoTime} values, passed in.
 */
final class Bookings {

  /** How late one may come for its turn: {@code Retry-After} is in whole seconds. */
  private static final Duration LATE = Duration.ofSeconds(5);

  /** Early by so little is on time: clients are told milliseconds. */
  private static final Duration EARLY = Duration.ofMillis(5);

  /** Clients told from others; the rest are as those that cannot be. */
  private static final int MOST_KNOWN = 20_000;

  /** Turns of the others so close to each other are one time, which bounds the memory. */
  private static final long TOGETHER = Duration.ofMillis(1).toNanos();

  /** The turns of clients that can be told from others, in the order they were booked. */
  private final Map<@Nullable String, Long> known = new LinkedHashMap<>();

  /** How many turns of the others there are at a time. */
  private final NavigableMap<Long, Integer> others = new TreeMap<>();

  /** Gives up those who have not come for their turn. */
  void forgetLate(long now) {
    long late = now - LATE.toNanos();
    others.headMap(time(late)).clear();
    Iterator<Long> eldest = known.values().iterator();
    while (eldest.hasNext() && eldest.next() - late < 0) {
      eldest.remove();
    }
  }

  /** Whether nobody is waited for. */
  boolean isEmpty() {
    return known.isEmpty() && others.isEmpty();
  }

  /** Whether nobody else is waited for. */
  boolean isOnlyOf(@Nullable String client) {
    return others.isEmpty() && known.size() - (known.containsKey(client) ? 1 : 0) == 0;
  }

  /**
   * When a client was told to come; empty if it was not, or cannot be told from others.
   *
   * @param client what it is known by when it comes back; null if by nothing
   */
  OptionalLong of(@Nullable String client) {
    Long turn = known.get(client);
    return turn == null ? OptionalLong.empty() : OptionalLong.of(turn);
  }

  /** Whether the client has a turn that has come. */
  boolean isDue(@Nullable String client, long now) {
    long soon = now + EARLY.toNanos();
    OptionalLong turn = of(client);
    return turn.isPresent()
        ? turn.getAsLong() - soon <= 0
        : !others.isEmpty() && others.firstKey() <= time(soon);
  }

  /** Takes away the client's turn that has come, if there is one. */
  boolean use(@Nullable String client, long now) {
    boolean due = isDue(client, now);
    if (due && known.remove(client) == null) {
      others.computeIfPresent(others.firstKey(), (time, left) -> left == 1 ? null : left - 1);
    }
    return due;
  }

  void add(@Nullable String client, long turn) {
    known.remove(client); // so that the order is that of booking
    if (client != null && known.size() < MOST_KNOWN) {
      known.put(client, turn);
    } else {
      others.merge(time(turn), 1, Integer::sum);
    }
  }

  private static long time(long nanos) {
    return Math.floorDiv(nanos, TOGETHER);
  }
}
