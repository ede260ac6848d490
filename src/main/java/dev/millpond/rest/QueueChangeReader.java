package dev.millpond.rest;

import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.Workers;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a change of a queue's settings: what is left out is kept, null resets to the default. */
final class QueueChangeReader {

  private static final List<String> FIELDS = List.of("cap", "maxWait", "concurrency", "workers");
  private static final int MAX_CAP = 10_000_000;
  private static final int MAX_CONCURRENCY = 1_000_000;
  private static final Duration LEAST_MAX_WAIT = Duration.ofSeconds(1);
  private static final Duration MOST_MAX_WAIT = Duration.ofHours(24);

  private final StrictJson json;
  private Setting<Integer> cap = new Setting.Keep<>();
  private Setting<Integer> concurrency = new Setting.Keep<>();
  private Setting<Duration> maxWait = new Setting.Keep<>();
  private Setting<Workers> workers = new Setting.Keep<>();

  private QueueChangeReader(byte[] body) {
    this.json = new StrictJson(body);
  }

  /**
   * Reads the body.
   *
   * @throws ProblemException {@code invalid-request}
   */
  static QueueChange read(byte[] body) {
    QueueChangeReader reader = new QueueChangeReader(body);
    reader.json.document(() -> reader.json.object(reader::field));
    List<FieldError> errors = reader.json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(ProblemDocument.invalid(errors));
    }
    return new QueueChange(reader.cap, reader.concurrency, reader.maxWait, reader.workers);
  }

  private void field(String name) {
    switch (name) {
      case "cap" -> cap = integer(0, MAX_CAP);
      case "maxWait" ->
          maxWait =
              new Setting.Set<>(
                  json.isNull() ? null : json.duration(LEAST_MAX_WAIT, MOST_MAX_WAIT));
      case "concurrency" -> concurrency = integer(1, MAX_CONCURRENCY);
      case "workers" -> workers = new Setting.Set<>(json.isNull() ? null : workers());
      default -> SubmissionDraft.unknown(json, name, FIELDS);
    }
  }

  private @Nullable Workers workers() {
    return json.parsed(() -> "must be one of " + String.join(", ", Workers.labels()), Workers::of);
  }

  private Setting<Integer> integer(int min, int max) {
    return new Setting.Set<>(json.isNull() ? null : json.integer(min, max));
  }
}
