package dev.millpond.rest;

import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.StartRate;
import dev.millpond.queue.Workers;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a change of a queue's settings: what is left out is kept, null resets to the default. */
final class QueueChangeReader {

  private static final List<String> FIELDS =
      List.of("cap", "maxWait", "concurrency", "workers", "rateLimit", "retention");
  private static final List<String> RATE_FIELDS = List.of("starts", "per");
  private static final int MAX_CAP = 10_000_000;
  private static final int MAX_CONCURRENCY = 1_000_000;
  private static final Duration LEAST_MAX_WAIT = Duration.ofSeconds(1);
  private static final Duration MOST_MAX_WAIT = Duration.ofHours(24);
  private static final int MAX_STARTS = 1_000_000;
  private static final Duration LEAST_PERIOD = Duration.ofSeconds(1);
  private static final Duration MOST_PERIOD = Duration.ofHours(24);
  private static final Duration LEAST_RETENTION = Duration.ofMinutes(1);
  private static final Duration MOST_RETENTION = Duration.ofDays(3_650);

  private final StrictJson json;
  private Setting<Integer> cap = new Setting.Keep<>();
  private Setting<Integer> concurrency = new Setting.Keep<>();
  private Setting<Duration> maxWait = new Setting.Keep<>();
  private Setting<Workers> workers = new Setting.Keep<>();
  private Setting<StartRate> rateLimit = new Setting.Keep<>();
  private Setting<Duration> retention = new Setting.Keep<>();
  private @Nullable Integer starts;
  private @Nullable Duration per;
  private final Set<String> given = new HashSet<>();

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
    return new QueueChange(
        reader.cap,
        reader.concurrency,
        reader.maxWait,
        reader.workers,
        reader.rateLimit,
        reader.retention);
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
      case "rateLimit" -> rateLimit = new Setting.Set<>(json.isNull() ? null : rate());
      case "retention" ->
          retention =
              new Setting.Set<>(
                  json.isNull() ? null : json.duration(LEAST_RETENTION, MOST_RETENTION));
      default -> SubmissionDraft.unknown(json, name, FIELDS);
    }
  }

  private @Nullable StartRate rate() {
    if (json.object(this::rateField)) {
      RATE_FIELDS.stream()
          .filter(field -> !given.contains(field))
          .forEach(field -> json.error("/" + field, "is required"));
    }
    return starts == null || per == null ? null : new StartRate(starts, per);
  }

  private void rateField(String name) {
    given.add(name);
    switch (name) {
      case "starts" -> starts = json.integer(1, MAX_STARTS);
      case "per" -> per = json.duration(LEAST_PERIOD, MOST_PERIOD);
      default -> SubmissionDraft.unknown(json, name, RATE_FIELDS);
    }
  }

  private @Nullable Workers workers() {
    return json.parsed(() -> "must be one of " + String.join(", ", Workers.labels()), Workers::of);
  }

  private Setting<Integer> integer(int min, int max) {
    return new Setting.Set<>(json.isNull() ? null : json.integer(min, max));
  }
}
