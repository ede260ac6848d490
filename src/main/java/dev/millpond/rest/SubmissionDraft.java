package dev.millpond.rest;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.millpond.admission.Submission;
import dev.millpond.admission.Tenant;
import dev.millpond.admission.Unique;
import dev.millpond.job.Concurrency;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.RetryPolicy;
import dev.millpond.rest.SubmissionReader.Context;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One job while it is read: its fields, as far as they are sound, and the defaults of the rest. */
final class SubmissionDraft {

  static final int MAX_PAYLOAD_BYTES = 256 * 1024;

  private static final List<String> FIELDS =
      List.of(
          "type",
          "payload",
          "priority",
          "delay",
          "runAt",
          "startBy",
          "timeout",
          "retry",
          "tenant",
          "labels",
          "callback",
          "unique",
          "concurrency",
          "dependsOn",
          "onDependencyFailure");

  /** Of a job among others, by which it may be known to them. */
  private static final List<String> BATCHED_FIELDS =
      Stream.concat(FIELDS.stream(), Stream.of("ref")).toList();

  /**
   * Of a job that is submitted again and again: without times of its own, a key and predecessors,
   * which would have ended since.
   */
  private static final List<String> TEMPLATE_FIELDS =
      List.of(
          "type",
          "payload",
          "priority",
          "timeout",
          "retry",
          "tenant",
          "labels",
          "callback",
          "concurrency");

  /** The field by which a line of a stream has a key of its own. */
  private static final String KEY = "idempotencyKey";

  private static final List<String> LINE_FIELDS =
      Stream.concat(FIELDS.stream(), Stream.of(KEY)).toList();

  private static final List<String> RETRY_FIELDS =
      List.of("maxAttempts", "initialDelay", "multiplier", "maxDelay");

  private static final Pattern TYPE = Pattern.compile(QueueName.PATTERN);
  private static final int DEFAULT_PRIORITY = 4;
  private static final int MAX_PRIORITY = 9;
  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(5);
  private static final Duration MIN_TIMEOUT = Duration.ofMillis(100);
  private static final Duration DAY = Duration.ofHours(24);
  // A leap year, so that the same day of the next year always is within it.
  private static final Duration MAX_AHEAD = Duration.ofDays(366);
  private static final int MAX_ATTEMPTS = 100;
  private static final double MAX_MULTIPLIER = 10;
  private static final Duration MAX_RETRY_DELAY = Duration.ofDays(7);
  private static final int MAX_LABELS = 16;
  private static final int MAX_LABEL_KEY = 63;
  private static final int MAX_LABEL_VALUE = 255;

  private final StrictJson json;
  private final Context context;
  private final List<String> fields;

  /** Labels that a job gets besides those it names. */
  private final List<String> reserved;

  private @Nullable String type;
  private boolean hasType;
  private @Nullable String payload;
  private boolean payloadTooLarge;
  private int priority = DEFAULT_PRIORITY;
  private @Nullable Duration delay;
  private @Nullable Instant runAt;
  private @Nullable Instant startBy;
  private Duration timeout = DEFAULT_TIMEOUT;
  private RetryPolicy retry = RetryPolicy.DEFAULT;
  private @Nullable String tenant;
  private Map<String, String> labels = Map.of();
  private @Nullable String callback;
  private @Nullable Unique unique;
  private @Nullable Concurrency concurrency;
  private final DependsOnDraft dependsOn;
  private @Nullable IdempotencyKey idempotencyKey;

  SubmissionDraft(StrictJson json, Context context) {
    this(json, context, FIELDS, List.of());
  }

  private SubmissionDraft(
      StrictJson json, Context context, List<String> fields, List<String> reserved) {
    this.json = json;
    this.context = context;
    this.fields = fields;
    this.reserved = reserved;
    this.tenant = context.tenant();
    this.dependsOn = new DependsOnDraft(json, fields.equals(BATCHED_FIELDS));
  }

  /** One of several that may name each other. */
  static SubmissionDraft batched(StrictJson json, Context context) {
    return new SubmissionDraft(json, context, BATCHED_FIELDS, List.of());
  }

  /**
   * What a schedule submits.
   *
   * @param reserved labels that it sets itself
   */
  static SubmissionDraft template(StrictJson json, Context context, List<String> reserved) {
    return new SubmissionDraft(json, context, TEMPLATE_FIELDS, reserved);
  }

  /** A line of a stream. */
  static SubmissionDraft line(StrictJson json, Context context) {
    return new SubmissionDraft(json, context, LINE_FIELDS, List.of());
  }

  /** Reads the job at which the document stands. */
  void read() {
    if (json.object(this::field)) {
      checkRelations();
    }
  }

  private void field(String name) {
    if (!fields.contains(name)) {
      unknown(json, name, fields);
    } else if (!json.isNull()) {
      known(name);
    }
  }

  private void known(String name) {
    switch (name) {
      case "type" -> type();
      case "payload" -> payload();
      case "priority" -> priority = requireNonNullElse(json.integer(0, MAX_PRIORITY), priority);
      case "delay" -> delay = json.duration(Duration.ZERO, MAX_AHEAD);
      case "runAt" -> runAt = runAt();
      case "startBy" -> startBy = startBy();
      case "timeout" -> timeout = requireNonNullElse(json.duration(MIN_TIMEOUT, DAY), timeout);
      case "retry" -> retry();
      case "tenant" -> tenant();
      case "labels" -> labels = labels(json, reserved);
      case "callback" -> callback = new CallbackDraft(json).read();
      case "unique" -> unique = new UniqueDraft(json).read();
      case "concurrency" -> concurrency = new ConcurrencyDraft(json).read();
      case "ref" -> dependsOn.ref();
      case "dependsOn" -> dependsOn.predecessors();
      case "onDependencyFailure" -> dependsOn.onFailure();
      case KEY -> idempotencyKey = json.parsed(() -> IdempotencyKey.RULE, IdempotencyKey::ofText);
      default -> throw new IllegalStateException(name);
    }
  }

  /** Refuses a field that does not exist. */
  static void unknown(StrictJson json, String name, List<String> known) {
    json.error("is no field here" + Words.didYouMean(name, known));
    json.skip();
  }

  private void type() {
    hasType = true;
    type = json.text();
    if (type != null && !TYPE.matcher(type).matches()) {
      json.error("must match " + QueueName.PATTERN);
      type = null;
    }
  }

  private void payload() {
    payload = json.raw(MAX_PAYLOAD_BYTES);
    if (payload == null) {
      payloadTooLarge = true;
      json.error("has more than " + MAX_PAYLOAD_BYTES + " bytes");
    }
  }

  private @Nullable Instant runAt() {
    Instant at = json.instant();
    if (at != null && at.isAfter(context.now().plus(MAX_AHEAD))) {
      json.error("must be at most " + MAX_AHEAD.toDays() + " days ahead");
    }
    return at;
  }

  private @Nullable Instant startBy() {
    Instant at = json.instant();
    if (at != null && !at.isAfter(context.now())) {
      json.error("is in the past: the job could not start any more");
    }
    return at;
  }

  private void retry() {
    RetryDraft draft = new RetryDraft();
    if (json.object(draft::field)) {
      retry = draft.policy();
    }
  }

  private void tenant() {
    String name = json.text();
    if (name == null) {
      return;
    }
    if (!Tenant.isValid(name)) {
      json.error("must match " + Tenant.PATTERN);
    } else if (tenant != null && !tenant.equals(name)) {
      json.error("is %s, but the header %s says %s".formatted(name, Tenant.HEADER, tenant));
    } else {
      tenant = name;
    }
  }

  /** Reads labels, which are in their bounds but for the errors noted. */
  static Map<String, String> labels(StrictJson json) {
    return labels(json, List.of());
  }

  /** The same but for those that are reserved, which take room as well. */
  private static Map<String, String> labels(StrictJson json, List<String> reserved) {
    Map<String, String> read = new TreeMap<>();
    int most = MAX_LABELS - reserved.size();
    json.object(key -> label(json, read, key, most, reserved));
    if (read.size() > most) {
      json.error("has more than " + most + " labels");
    }
    return read;
  }

  private static void label(
      StrictJson json, Map<String, String> read, String key, int most, List<String> reserved) {
    if (reserved.contains(key)) {
      json.error("is set by the schedule itself");
    }
    if (key.isEmpty() || key.codePointCount(0, key.length()) > MAX_LABEL_KEY) {
      json.error("a label's name has 1 to " + MAX_LABEL_KEY + " characters");
    }
    String value = json.text();
    if (value != null && value.codePointCount(0, value.length()) > MAX_LABEL_VALUE) {
      json.error("has more than " + MAX_LABEL_VALUE + " characters");
    }
    // One more than allowed tells that there are too many; the rest would only take room.
    if (value != null && read.size() <= most) {
      read.put(key, value);
    }
  }

  private void checkRelations() {
    if (!hasType) {
      json.error("/type", "is required");
    }
    if (delay != null && runAt != null) {
      json.error("/runAt", "cannot be given together with delay");
    } else if (startBy != null && startBy.isBefore(earliestStart())) {
      json.error("/startBy", "lies before the time at which the job may start");
    }
  }

  private Instant earliestStart() {
    Instant now = context.now();
    return runAt != null ? runAt : delay != null ? now.plus(delay) : now;
  }

  /** Whether the payload has more bytes than are taken. */
  boolean isPayloadTooLarge() {
    return payloadTooLarge;
  }

  /** The name by which others of a batch may know the job; null for none, or an unsound one. */
  @Nullable String ref() {
    return dependsOn.name();
  }

  /** The key of a line of a stream, if it has one. */
  Optional<IdempotencyKey> idempotencyKey() {
    return Optional.ofNullable(idempotencyKey);
  }

  /** The job, of which the document had no errors to tell. */
  Submission submission() {
    return new Submission(
        requireNonNull(type, "a job without errors has a type"),
        payload,
        priority,
        delay,
        runAt,
        startBy,
        timeout,
        retry,
        tenant,
        Map.copyOf(labels),
        context.traceparent(),
        callback,
        unique,
        concurrency,
        dependsOn.dependsOn());
  }

  /** The retry policy while it is read. */
  private final class RetryDraft {

    private int maxAttempts = RetryPolicy.DEFAULT.maxAttempts();
    private Duration initialDelay = RetryPolicy.DEFAULT.initialDelay();
    private double multiplier = RetryPolicy.DEFAULT.multiplier();
    private Duration maxDelay = RetryPolicy.DEFAULT.maxDelay();

    void field(String name) {
      if (RETRY_FIELDS.contains(name) && json.isNull()) {
        return;
      }
      switch (name) {
        case "maxAttempts" ->
            maxAttempts = requireNonNullElse(json.integer(1, MAX_ATTEMPTS), maxAttempts);
        case "initialDelay" ->
            initialDelay = requireNonNullElse(json.duration(Duration.ZERO, DAY), initialDelay);
        case "multiplier" ->
            multiplier = requireNonNullElse(json.number(1, MAX_MULTIPLIER), multiplier);
        case "maxDelay" ->
            maxDelay = requireNonNullElse(json.duration(Duration.ZERO, MAX_RETRY_DELAY), maxDelay);
        default -> unknown(json, name, RETRY_FIELDS);
      }
    }

    RetryPolicy policy() {
      if (maxDelay.compareTo(initialDelay) < 0) {
        json.error(
            "/maxDelay",
            "is %s, which is less than initialDelay, %s".formatted(maxDelay, initialDelay));
      }
      return new RetryPolicy(maxAttempts, initialDelay, multiplier, maxDelay);
    }
  }
}
