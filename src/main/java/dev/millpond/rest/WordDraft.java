package dev.millpond.rest;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.millpond.handler.Handlers;
import dev.millpond.job.JobError;
import dev.millpond.job.Outcome;
import dev.millpond.lease.Ending;
import dev.millpond.lease.Heartbeat;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a pull worker says of a job that it holds, while it is read. */
final class WordDraft {

  /** What it says. */
  enum Kind {
    /** It is still at work. */
    HEARTBEAT("token", "progress", "log", "lease"),
    /** The job is done. */
    COMPLETE("token", "result"),
    /** The attempt failed. */
    FAIL("token", "error", "retryable", "retryIn"),
    /** It gives the job back. */
    RELEASE("token", "delay");

    @SuppressWarnings("ImmutableEnumChecker") // each is made by List.of
    private final List<String> fields;

    Kind(String... fields) {
      this.fields = List.of(fields);
    }
  }

  private static final String DEFAULT_ERROR = "handler-failed";
  private static final Duration MAX_RETRY_IN = Duration.ofDays(365);
  private static final int MAX_LINES = 1_000;
  private static final int MAX_MESSAGE = 255;

  private final StrictJson json;
  private final Kind kind;
  private final boolean namesJob;

  private @Nullable UUID id;
  private @Nullable UUID token;
  private @Nullable Duration lease;
  private @Nullable Integer percent;
  private @Nullable String message;
  private final List<String> lines = new ArrayList<>();
  private @Nullable String result;
  private boolean resultTooLarge;
  private @Nullable JobError error;
  private boolean retryable = true;
  private @Nullable Duration retryIn;
  private Duration delay = Duration.ZERO;
  private boolean hasId;
  private boolean hasToken;
  private boolean hasPercent;
  private boolean hasError;

  /**
   * @param job from the path; null if the body names it
   */
  WordDraft(StrictJson json, Kind kind, @Nullable UUID job) {
    this.json = json;
    this.kind = kind;
    this.id = job;
    this.namesJob = job == null;
  }

  /**
   * Reads a body that is about one job.
   *
   * @throws ProblemException {@code invalid-request}, or {@code payload-too-large} for a result
   */
  static WordDraft read(byte[] body, Kind kind, UUID job) {
    StrictJson json = new StrictJson(body);
    WordDraft draft = new WordDraft(json, kind, job);
    json.document(draft::read);
    List<FieldError> errors = json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(problem(errors, draft.isResultTooLarge()));
    }
    return draft;
  }

  /** What is answered to a body with these errors. */
  static ProblemDocument problem(List<FieldError> errors, boolean resultTooLarge) {
    return resultTooLarge && errors.size() == 1
        ? ProblemDocument.of(
                Problem.PAYLOAD_TOO_LARGE,
                "A result has more than " + Handlers.MAX_RESULT + " bytes.")
            .with("limit", Handlers.MAX_RESULT)
            .with("errors", errors.stream().map(FieldError::json).toList())
        : ProblemDocument.invalid(errors);
  }

  /** Reads what is said of the job at which the document stands. */
  void read() {
    if (json.object(this::field)) {
      if (namesJob && !hasId) {
        json.error("/id", "is required");
      }
      if (!hasToken) {
        json.error("/token", "is required");
      }
      if (kind == Kind.FAIL && !hasError) {
        json.error("/error", "is required");
      }
      if (!retryable && retryIn != null) {
        json.error("/retryIn", "cannot be given where retryable is false");
      }
    }
  }

  private void field(String name) {
    if (namesJob && name.equals("id")) {
      hasId = true;
      id = uuid();
    } else if (!kind.fields.contains(name)) {
      SubmissionDraft.unknown(json, name, kind.fields);
    } else if (!json.isNull()) {
      known(name);
    }
  }

  private void known(String name) {
    switch (name) {
      case "token" -> {
        hasToken = true;
        token = uuid();
      }
      case "lease" -> lease = json.duration(ClaimDraft.LEAST_LEASE, ClaimDraft.MOST_LEASE);
      case "progress" -> progress();
      case "log" -> log();
      case "result" -> result();
      case "error" -> error();
      case "retryable" -> retryable = !Boolean.FALSE.equals(json.bool());
      case "delay" -> delay = requireNonNullElse(json.duration(Duration.ZERO, MAX_RETRY_IN), delay);
      case "retryIn" -> retryIn = json.duration(Duration.ZERO, MAX_RETRY_IN);
      default -> throw new IllegalStateException(name);
    }
  }

  private @Nullable UUID uuid() {
    return json.parsed(() -> "must be a UUID", PathParts::uuid);
  }

  private void progress() {
    if (json.object(this::progressField) && !hasPercent) {
      json.error("/percent", "is required, a whole number from 0 to 100");
    }
  }

  private void progressField(String name) {
    switch (name) {
      case "percent" -> {
        hasPercent = true;
        percent = json.integer(0, 100);
      }
      case "message" -> {
        message = json.isNull() ? null : json.text();
        if (message != null && message.codePointCount(0, message.length()) > MAX_MESSAGE) {
          json.error("has more than " + MAX_MESSAGE + " characters");
        }
      }
      default -> SubmissionDraft.unknown(json, name, List.of("percent", "message"));
    }
  }

  private void log() {
    boolean isArray =
        json.array(
            index -> {
              String line = json.text();
              if (line != null && index <= MAX_LINES) {
                lines.add(line);
              }
            });
    if (isArray && lines.size() > MAX_LINES) {
      json.error("has more than " + MAX_LINES + " lines");
    }
  }

  private void result() {
    result = json.raw(Handlers.MAX_RESULT);
    if (result == null) {
      resultTooLarge = true;
      json.error("has more than " + Handlers.MAX_RESULT + " bytes");
    }
  }

  private void error() {
    hasError = true;
    ErrorDraft draft = new ErrorDraft();
    if (json.object(draft::field)) {
      error = draft.error();
    }
  }

  /** Why the attempt failed, while it is read. */
  private final class ErrorDraft {

    private @Nullable String type;
    private @Nullable String why;
    private boolean hasMessage;

    void field(String name) {
      switch (name) {
        case "type" -> {
          type = json.isNull() ? null : json.text();
          if (type != null && !QueueName.isValid(type)) {
            json.error("must match " + QueueName.PATTERN);
          }
        }
        case "message" -> {
          hasMessage = true;
          why = json.text();
        }
        default -> unknown(name);
      }
    }

    private void unknown(String name) {
      SubmissionDraft.unknown(json, name, List.of("type", "message"));
    }

    JobError error() {
      if (!hasMessage) {
        json.error("/message", "is required");
      }
      return new JobError(
          requireNonNullElse(type, DEFAULT_ERROR), requireNonNullElse(why, "no message"));
    }
  }

  /** Whether the result has more bytes than are taken. */
  boolean isResultTooLarge() {
    return resultTooLarge;
  }

  /** The job that it is about. */
  UUID id() {
    return requireNonNull(id, "without errors there is an id");
  }

  UUID token() {
    return requireNonNull(token, "without errors there is a token");
  }

  /** How the attempt ended. */
  Ending ending() {
    return new Ending(id(), token(), outcome());
  }

  private Outcome outcome() {
    return switch (kind) {
      case COMPLETE -> new Outcome.Succeeded(result);
      case FAIL ->
          new Outcome.Failed(
              requireNonNull(error, "without errors there is the job's"), !retryable, retryIn);
      case RELEASE -> new Outcome.Released(delay);
      case HEARTBEAT -> throw new IllegalStateException("a heartbeat is no end");
    };
  }

  /** That the worker is still at work. */
  Heartbeat heartbeat() {
    return new Heartbeat(id(), token(), lease, percent, message, List.copyOf(lines));
  }
}
