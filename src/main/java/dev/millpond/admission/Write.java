package dev.millpond.admission;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The jobs of one request: written together or not at all.
 *
 * @param account the books that have room for them
 */
record Write(UUID account, List<Entry> entries, @Nullable RequestKey key) {

  /** What became of it. */
  enum Result {
    /** Committed. */
    WRITTEN,
    /** Another request has taken the key; nothing was written. */
    KEY_TAKEN,
    /** The account is closed; nothing was written. */
    ACCOUNT_CLOSED
  }
}
