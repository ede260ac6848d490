package dev.millpond.rest;

import dev.millpond.handler.Webhooks;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whom to tell of a job's end, while it is read. */
final class CallbackDraft {

  private static final List<String> FIELDS = List.of("url");

  private final StrictJson json;

  private boolean hasUrl;
  private @Nullable String url;

  CallbackDraft(StrictJson json) {
    this.json = json;
  }

  /** Reads the callback at which the document stands, and returns its URL. */
  @Nullable String read() {
    if (json.object(this::field) && !hasUrl) {
      json.error("/url", "is required");
    }
    return url;
  }

  private void field(String name) {
    if (name.equals("url")) {
      hasUrl = true;
      url = json.text();
      if (url != null) {
        Webhooks.flaw(url).ifPresent(json::error);
      }
    } else {
      SubmissionDraft.unknown(json, name, FIELDS);
    }
  }
}
