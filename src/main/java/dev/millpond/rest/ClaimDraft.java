package dev.millpond.rest;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.millpond.lease.Claim;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A claim while it is read. */
final class ClaimDraft {

  /** For how long a pull worker may hold a job without a word. */
  static final Duration LEAST_LEASE = Duration.ofSeconds(1);

  static final Duration MOST_LEASE = Duration.ofHours(1);

  /** Each may come with a payload of 256 KiB. */
  private static final int MAX_JOBS = 100;

  private static final int MAX_TYPES = 100;

  /** What is fit for logs and lists: visible ASCII. */
  private static final Pattern WORKER = Pattern.compile("[!-~]{1,128}");

  private static final List<String> FIELDS = List.of("worker", "max", "lease", "types");
  private static final List<String> FIELDS_WITH_QUEUE =
      List.of("queue", "worker", "max", "lease", "types");

  private final StrictJson json;
  private final boolean namesQueue;

  private @Nullable QueueName queue;
  private @Nullable String worker;
  private int max = 1;
  private Duration lease;
  private Set<String> types = Set.of();
  private boolean hasQueue;
  private boolean hasWorker;

  /**
   * @param queue from the path; null if the claim names it
   * @param lease if it names none
   */
  ClaimDraft(StrictJson json, @Nullable QueueName queue, Duration lease) {
    this.json = json;
    this.queue = queue;
    this.namesQueue = queue == null;
    this.lease = lease;
  }

  /**
   * Reads the body of a claim.
   *
   * @throws ProblemException {@code invalid-request}
   */
  static Claim read(byte[] body, QueueName queue, Duration lease) {
    StrictJson json = new StrictJson(body);
    ClaimDraft draft = new ClaimDraft(json, queue, lease);
    json.document(draft::read);
    List<FieldError> errors = json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(ProblemDocument.invalid(errors));
    }
    return draft.claim();
  }

  /** Reads the claim at which the document stands. */
  void read() {
    if (json.object(this::field)) {
      if (namesQueue && !hasQueue) {
        json.error("/queue", "is required");
      }
      if (!hasWorker) {
        json.error("/worker", "is required");
      }
    }
  }

  private void field(String name) {
    List<String> fields = namesQueue ? FIELDS_WITH_QUEUE : FIELDS;
    if (fields.contains(name) && json.isNull()) {
      return;
    }
    switch (name) {
      case "queue" -> {
        if (namesQueue) {
          hasQueue = true;
          String named = name();
          queue = named == null ? null : new QueueName(named);
        } else {
          SubmissionDraft.unknown(json, name, fields);
        }
      }
      case "worker" -> worker();
      case "max" -> max = requireNonNullElse(json.integer(1, MAX_JOBS), max);
      case "lease" -> lease = requireNonNullElse(json.duration(LEAST_LEASE, MOST_LEASE), lease);
      case "types" -> types();
      default -> SubmissionDraft.unknown(json, name, fields);
    }
  }

  private void worker() {
    hasWorker = true;
    worker = json.text();
    if (worker != null && !WORKER.matcher(worker).matches()) {
      json.error("must match " + WORKER);
    }
  }

  private void types() {
    List<String> read = new ArrayList<>();
    boolean isArray =
        json.array(
            _ -> {
              String type = name();
              // One more than allowed tells that there are too many.
              if (type != null && read.size() <= MAX_TYPES) {
                read.add(type);
              }
            });
    if (isArray && (read.isEmpty() || read.size() > MAX_TYPES)) {
      json.error(
          "must have 1 to " + MAX_TYPES + " types; without it, jobs of any type are claimed");
    }
    types = new LinkedHashSet<>(read);
  }

  private @Nullable String name() {
    String name = json.text();
    if (name != null && !QueueName.isValid(name)) {
      json.error("must match " + QueueName.PATTERN);
      return null;
    }
    return name;
  }

  /** The claim, of which the document had no errors to tell. */
  Claim claim() {
    return new Claim(
        requireNonNull(queue, "a claim without errors has a queue"),
        requireNonNull(worker, "a claim without errors has a worker"),
        max,
        lease,
        types);
  }
}
