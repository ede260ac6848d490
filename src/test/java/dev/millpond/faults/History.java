package dev.millpond.faults;

import dev.millpond.testing.ApiClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/** What was seen from outside, in one time: the history that the checker judges. */
final class History {

  private final Instant start = Instant.now();
  private final long startNanos = System.nanoTime();
  private final Collection<Event> events = new ConcurrentLinkedQueue<>();

  /** Seconds since the start, by a clock that nobody sets. */
  double now() {
    return (System.nanoTime() - startNanos) / 1e9;
  }

  /** When that was by the clock on the wall, which the database has too. */
  Instant start() {
    return start;
  }

  void add(Event event) {
    events.add(event);
  }

  /** All events of a kind, by time. */
  <E extends Event> List<E> all(Class<E> kind) {
    return events.stream()
        .filter(kind::isInstance)
        .map(kind::cast)
        .sorted(Comparator.comparingDouble(Event::at))
        .toList();
  }

  /** Writes everything as JSON, one line an event, for whoever wants to know what happened. */
  void write(Path file, List<Change> changes) {
    List<String> lines = new ArrayList<>();
    Stream.concat(events.stream(), changes.stream())
        .map(line -> Map.of(line.getClass().getSimpleName(), line))
        .map(ApiClient.JSON::writeValueAsString)
        .forEach(lines::add);
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.write(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
