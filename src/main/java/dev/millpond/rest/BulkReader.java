package dev.millpond.rest;

import dev.millpond.lease.Claim;
import dev.millpond.rest.WordDraft.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads what a pull worker says of many jobs at once, all bad fields named. */
final class BulkReader {

  /** About how many jobs at most. */
  private static final int MAX_ITEMS = 1_000;

  private final StrictJson json;
  private final Kind kind;
  private final Duration lease;
  private final List<WordDraft> items = new ArrayList<>();
  private @Nullable ClaimDraft claim;
  private boolean hasItems;

  /**
   * What was said.
   *
   * @param items in the order sent
   * @param claim what it wants next; null for nothing
   */
  record Bulk(List<WordDraft> items, @Nullable Claim claim) {}

  private BulkReader(byte[] body, Kind kind, Duration lease) {
    this.json = new StrictJson(body);
    this.kind = kind;
    this.lease = lease;
  }

  /**
   * Reads the body.
   *
   * @param lease of a claim that names none
   * @throws ProblemException {@code invalid-request}, {@code batch-too-large}, or {@code
   *     payload-too-large} for a result
   */
  static Bulk read(byte[] body, Kind kind, Duration lease) {
    BulkReader reader = new BulkReader(body, kind, lease);
    reader.json.document(reader::body);
    List<FieldError> errors = reader.json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(
          WordDraft.problem(errors, reader.items.stream().anyMatch(WordDraft::isResultTooLarge)));
    }
    return new Bulk(List.copyOf(reader.items), reader.claim == null ? null : reader.claim.claim());
  }

  private void body() {
    if (json.object(this::field) && !hasItems) {
      json.error("/items", "is required");
    }
  }

  private void field(String name) {
    if (name.equals("items")) {
      hasItems = true;
      if (json.array(this::item) && items.isEmpty()) {
        json.error("must have at least one item");
      }
    } else if (name.equals("claim") && kind == Kind.COMPLETE) {
      if (!json.isNull()) {
        ClaimDraft draft = new ClaimDraft(json, null, lease);
        draft.read();
        claim = draft;
      }
    } else {
      SubmissionDraft.unknown(
          json, name, kind == Kind.COMPLETE ? List.of("items", "claim") : List.of("items"));
    }
  }

  private void item(int index) {
    if (index == MAX_ITEMS) {
      throw new ProblemException(
          ProblemDocument.of(
                  Problem.BATCH_TOO_LARGE, "There are more than " + MAX_ITEMS + " items.")
              .with("limit", MAX_ITEMS));
    }
    WordDraft draft = new WordDraft(json, kind, null);
    draft.read();
    items.add(draft);
  }
}
