package dev.millpond.schedule;

import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A node's memory of when which schedule is due next. For one thread. */
final class Timetable {

  private final Map<UUID, Entry> entries = new HashMap<>();

  /** Those that are due some time. */
  private final NavigableSet<Entry> byTime =
      new TreeSet<>(Comparator.comparing(Entry::time).thenComparing(entry -> entry.armed().id()));

  /**
   * @param at when it is to be looked at; null for never
   */
  private record Entry(Armed armed, @Nullable Instant at) {

    Instant time() {
      return at == null ? Instant.MAX : at;
    }
  }

  /** Remembers a schedule, unless more is known of it already. */
  void put(Armed armed) {
    Entry known = entries.get(armed.id());
    boolean isNews =
        known == null
            || armed.revision() > known.armed().revision()
            || (armed.revision() == known.armed().revision()
                && armed.firedTo().isAfter(known.armed().firedTo()));
    if (isNews) {
      replace(new Entry(armed, armed.next()));
    }
  }

  /** Looks at a schedule again at a moment, and not before. */
  void postpone(Armed armed, Instant until) {
    replace(new Entry(armed, until));
  }

  private void replace(Entry entry) {
    remove(entry.armed().id());
    entries.put(entry.armed().id(), entry);
    if (entry.at() != null) {
      byTime.add(entry);
    }
  }

  /** Forgets a schedule. */
  void remove(UUID id) {
    Entry known = entries.remove(id);
    if (known != null) {
      byTime.remove(known);
    }
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /** Those that are due, the longest due first. */
  List<Armed> due(Instant now, int most) {
    return byTime.stream()
        .takeWhile(entry -> !entry.time().isAfter(now))
        .limit(most)
        .map(Entry::armed)
        .toList();
  }

  /** When the next one is due. */
  Optional<Instant> next() {
    return byTime.isEmpty() ? Optional.empty() : Optional.of(byTime.first().time());
  }
}
