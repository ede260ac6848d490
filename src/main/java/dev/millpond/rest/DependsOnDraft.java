package dev.millpond.rest;

import dev.millpond.admission.DependsOn;
import dev.millpond.admission.DependsOn.Known;
import dev.millpond.admission.DependsOn.Predecessor;
import dev.millpond.admission.DependsOn.Ref;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a job waits for, while it is read. */
final class DependsOnDraft {

  static final int MAX_PREDECESSORS = 10_000;

  static final Pattern REF = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  private final StrictJson json;

  /** Whether it is one of several that may name each other. */
  private final boolean batched;

  private final Set<Predecessor> predecessors = new LinkedHashSet<>();
  private @Nullable String ref;
  private boolean runAnyway;

  DependsOnDraft(StrictJson json, boolean batched) {
    this.json = json;
    this.batched = batched;
  }

  /** Reads the name by which others of the batch know the job. */
  void ref() {
    String name = json.text();
    if (name != null && !REF.matcher(name).matches()) {
      json.error("must match " + REF);
    } else if (name != null && PathParts.uuid(name).isPresent()) {
      json.error("looks like the id of a job");
    } else {
      ref = name;
    }
  }

  /** Reads the jobs that are waited for. */
  void predecessors() {
    json.array(this::predecessor);
    if (predecessors.size() > MAX_PREDECESSORS) {
      json.error("has more than " + MAX_PREDECESSORS + " jobs");
    }
  }

  private void predecessor(int index) {
    String name = json.text();
    // One more than allowed tells that there are too many; the rest would only take room.
    if (name == null || predecessors.size() > MAX_PREDECESSORS) {
      return;
    }
    UUID id = PathParts.uuid(name).orElse(null);
    if (id == null && !batched) {
      json.error("must be the id of a job; names are for the jobs of a batch");
    } else if (id == null && !REF.matcher(name).matches()) {
      json.error("must be the id of a job, or the ref of one in this batch, which matches " + REF);
    } else if (!predecessors.add(id == null ? new Ref(name) : new Known(id))) {
      json.error("is named twice");
    }
  }

  /** Reads what becomes of the job if one of these does not succeed. */
  void onFailure() {
    runAnyway =
        Boolean.TRUE.equals(json.parsed(() -> "must be cancel or run", OnDependencyFailure::parse));
  }

  /** The name that was read; null for none, or for an unsound one. */
  @Nullable String name() {
    return ref;
  }

  /** What was read, of which the document had no errors to tell. */
  DependsOn dependsOn() {
    return ref == null && predecessors.isEmpty()
        ? DependsOn.NOTHING
        : new DependsOn(ref, List.copyOf(predecessors), runAnyway);
  }
}
