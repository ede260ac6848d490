package dev.millpond.rest;

import dev.millpond.job.Concurrency;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Under which key a job counts, while it is read. */
final class ConcurrencyDraft {

  private static final List<String> FIELDS = List.of("key", "limit");

  private final StrictJson json;

  private boolean hasKey;
  private boolean hasLimit;
  private @Nullable String key;
  private @Nullable Integer limit;

  ConcurrencyDraft(StrictJson json) {
    this.json = json;
  }

  /** Reads the bound at which the document stands; null where it has errors. */
  @Nullable Concurrency read() {
    if (json.object(this::field)) {
      if (!hasKey) {
        json.error("/key", "is required");
      }
      if (!hasLimit) {
        json.error("/limit", "is required, a whole number from 1 to " + Concurrency.MAX_LIMIT);
      }
    }
    return key == null || limit == null ? null : new Concurrency(key, limit);
  }

  private void field(String name) {
    switch (name) {
      case "key" -> {
        hasKey = true;
        key = json.text(Concurrency.MAX_KEY);
      }
      case "limit" -> {
        hasLimit = true;
        limit = json.integer(1, Concurrency.MAX_LIMIT);
      }
      default -> SubmissionDraft.unknown(json, name, FIELDS);
    }
  }
}
