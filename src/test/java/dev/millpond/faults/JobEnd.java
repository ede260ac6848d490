package dev.millpond.faults;

import dev.millpond.job.Concurrency;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the database says of a job at the end.
 *
 * @param key the client's, from its label
 * @param earlyBy seconds by which it started before its {@code runAt}; 0 or less where it did not
 * @param effect the number of the effect that its result names; null where it names none
 * @param concurrency its bound; null where it has none
 */
record JobEnd(
    UUID id,
    String key,
    @Nullable String state,
    int attempt,
    int maxAttempts,
    double earlyBy,
    @Nullable Integer effect,
    @Nullable Concurrency concurrency) {

  boolean isFinal() {
    return state != null;
  }
}
