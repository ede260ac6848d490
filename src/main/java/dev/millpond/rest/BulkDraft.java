package dev.millpond.rest;

import dev.millpond.admission.Tenant;
import dev.millpond.job.JobFilter;
import dev.millpond.job.JobState;
import dev.millpond.queue.QueueName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Which of a queue's jobs are to be cancelled or retried, while it is read. */
final class BulkDraft {

  private static final int MAX_PER_SECOND = 100_000;

  /** What is done to the jobs. */
  enum Kind {
    /** Of jobs that have not ended. */
    CANCEL(
        JobState.BLOCKED, JobState.SCHEDULED, JobState.RETRYING, JobState.QUEUED, JobState.RUNNING),
    /** Of jobs that have: the dead letters first, which are meant if nothing is said. */
    RETRY(JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED, JobState.SUCCEEDED);

    @SuppressWarnings("ImmutableEnumChecker") // each is made by List.of
    private final List<JobState> states;

    Kind(JobState... states) {
      this.states = List.of(states);
    }

    private List<JobState> meant() {
      return this == RETRY ? List.of(JobState.FAILED) : states;
    }
  }

  private final StrictJson json;
  private final Kind kind;
  private final List<String> fields;
  private @Nullable JobState state;
  private @Nullable String type;
  private @Nullable String tenant;
  private Map<String, String> labels = Map.of();
  private @Nullable Instant submittedAfter;
  private @Nullable Instant submittedBefore;
  private boolean dryRun;
  private @Nullable Integer perSecond;

  private BulkDraft(StrictJson json, Kind kind) {
    this.json = json;
    this.kind = kind;
    this.fields =
        new ArrayList<>(
            List.of(
                "state",
                "type",
                "tenant",
                "labels",
                "submittedAfter",
                "submittedBefore",
                "dryRun"));
    if (kind == Kind.RETRY) {
      fields.add("perSecond");
    }
  }

  /**
   * What is to be done.
   *
   * @param states in this order
   * @param filter the rest of what the jobs have in common
   * @param submittedBefore only earlier ones; null for all
   * @param perSecond how many may start in a second; null for as many as there are
   */
  record Wish(
      List<JobState> states,
      JobFilter filter,
      @Nullable Instant submittedBefore,
      boolean dryRun,
      @Nullable Integer perSecond) {

    JobFilter filter(JobState state) {
      return new JobFilter(
          filter.queue(),
          state,
          filter.type(),
          filter.tenant(),
          filter.labels(),
          filter.submittedAfter());
    }
  }

  /**
   * Reads the body.
   *
   * @throws ProblemException {@code invalid-request}
   */
  static Wish read(byte[] body, Kind kind, QueueName queue) {
    StrictJson json = new StrictJson(body);
    BulkDraft draft = new BulkDraft(json, kind);
    json.document(() -> json.object(draft::field));
    List<FieldError> errors = json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(ProblemDocument.invalid(errors));
    }
    return draft.wish(queue);
  }

  private void field(String name) {
    if (fields.contains(name) && json.isNull()) {
      return;
    }
    switch (name) {
      case "state" -> state = json.parsed(this::rule, this::state);
      case "type" -> type = name(QueueName::isValid, QueueName.PATTERN);
      case "tenant" -> tenant = name(Tenant::isValid, Tenant.PATTERN);
      case "labels" -> labels = SubmissionDraft.labels(json);
      case "submittedAfter" -> submittedAfter = json.instant();
      case "submittedBefore" -> submittedBefore = json.instant();
      case "dryRun" -> dryRun = Boolean.TRUE.equals(json.bool());
      case "perSecond" -> {
        if (kind == Kind.RETRY) {
          perSecond = json.integer(1, MAX_PER_SECOND);
        } else {
          SubmissionDraft.unknown(json, name, fields);
        }
      }
      default -> SubmissionDraft.unknown(json, name, fields);
    }
  }

  private String rule() {
    return "must be one of "
        + String.join(", ", kind.states.stream().map(JobState::label).toList());
  }

  private Optional<JobState> state(String label) {
    return kind.states.stream().filter(known -> known.label().equals(label)).findFirst();
  }

  private @Nullable String name(Predicate<String> isValid, String pattern) {
    return json.parsed(() -> "must match " + pattern, text -> Optional.of(text).filter(isValid));
  }

  private Wish wish(QueueName queue) {
    return new Wish(
        state == null ? kind.meant() : List.of(state),
        new JobFilter(queue.value(), null, type, tenant, labels, submittedAfter),
        submittedBefore,
        dryRun,
        perSecond);
  }
}
