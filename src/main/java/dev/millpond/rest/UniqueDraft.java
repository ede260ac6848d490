package dev.millpond.rest;

import static java.util.Objects.requireNonNullElse;

import dev.millpond.admission.Unique;
import dev.millpond.admission.Unique.OnConflict;
import dev.millpond.admission.Unique.Until;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The key that at most one job of a queue holds, while it is read. */
final class UniqueDraft {

  private static final Duration SHORTEST = Duration.ofSeconds(1);
  // A leap year, as for the time at which a job may start.
  private static final Duration LONGEST = Duration.ofDays(366);

  private static final List<String> FIELDS = List.of("key", "until", "onConflict");
  private static final Map<String, Until> EVENTS =
      Map.of("started", Until.STARTED, "finished", Until.FINISHED);
  private static final Map<String, OnConflict> ON_CONFLICT =
      Map.of(
          "existing", OnConflict.EXISTING,
          "reject", OnConflict.REJECT,
          "replace", OnConflict.REPLACE);

  private final StrictJson json;

  private boolean hasKey;
  private @Nullable String key;
  private Until until = Until.FINISHED;
  private @Nullable Duration lasts;
  private OnConflict onConflict = OnConflict.EXISTING;

  UniqueDraft(StrictJson json) {
    this.json = json;
  }

  /** Reads what stands there; null if that is not sound. */
  @Nullable Unique read() {
    if (json.object(this::field) && !hasKey) {
      json.error("/key", "is required");
    }
    return key == null ? null : new Unique(key, until, lasts, onConflict);
  }

  private void field(String name) {
    if (FIELDS.contains(name) && json.isNull()) {
      return;
    }
    switch (name) {
      case "key" -> {
        hasKey = true;
        key = json.text(Unique.LONGEST);
      }
      case "until" -> until();
      case "onConflict" -> onConflict = requireNonNullElse(onConflict(), onConflict);
      default -> SubmissionDraft.unknown(json, name, FIELDS);
    }
  }

  private void until() {
    String text =
        json.parsed(
            () ->
                "must be started, finished or an ISO 8601 duration from %s to %s"
                    .formatted(SHORTEST, LONGEST),
            said ->
                Optional.of(said).filter(_ -> EVENTS.containsKey(said) || period(said) != null));
    if (text != null) {
      lasts = period(text);
      until = EVENTS.getOrDefault(text, Until.EXPIRED);
    }
  }

  private static @Nullable Duration period(String text) {
    return Iso.duration(text)
        .filter(said -> said.compareTo(SHORTEST) >= 0 && said.compareTo(LONGEST) <= 0)
        .orElse(null);
  }

  private @Nullable OnConflict onConflict() {
    return json.parsed(
        () -> "must be existing, reject or replace",
        text -> Optional.ofNullable(ON_CONFLICT.get(text)));
  }
}
