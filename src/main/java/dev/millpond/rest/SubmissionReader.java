package dev.millpond.rest;

import dev.millpond.admission.Submission;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bodies of submits. Strict: what is not understood is refused with its place, all bad
 * fields at once, so that no typo is dropped in silence.
 */
public final class SubmissionReader {

  /** How many jobs a batch may have. */
  public static final int MAX_JOBS = 1_000;

  static final int MAX_ERRORS = 100;
  private static final List<String> BATCH_FIELDS = List.of("jobs", "atomic");

  /**
   * What a request says of its jobs, besides its body.
   *
   * @param now against which times are checked
   * @param tenant of each job that names none; null for none
   * @param traceparent the trace context of the request; null for none
   */
  public record Context(Instant now, @Nullable String tenant, @Nullable String traceparent) {}

  /**
   * A batch as it was sent.
   *
   * @param atomic true if all is to be accepted or nothing; then no candidate is {@link
   *     Candidate.Bad}
   * @param candidates in the order sent
   */
  public record Batch(boolean atomic, List<Candidate> candidates) {}

  /** One job of a batch. */
  public sealed interface Candidate {

    /** It can be submitted. */
    record Good(Submission submission) implements Candidate {}

    /**
     * It cannot, for these reasons.
     *
     * @param ref the name by which other jobs of the batch may know it; null for none
     */
    record Bad(List<FieldError> errors, boolean tooLarge, @Nullable String ref)
        implements Candidate {

      /** What is answered for it. */
      public ProblemDocument problem() {
        return SubmissionReader.problem(errors, tooLarge);
      }
    }
  }

  private final StrictJson json;
  private final Context context;

  // What has been read of a batch.
  private List<Candidate> candidates = new ArrayList<>();
  private boolean atomic = true;
  private boolean hasJobs;

  private SubmissionReader(byte[] body, Context context) {
    this.json = new StrictJson(body);
    this.context = context;
  }

  /**
   * Reads a single job.
   *
   * @throws ProblemException {@code invalid-request} or {@code payload-too-large}
   */
  public static Submission read(byte[] body, Context context) {
    SubmissionReader reader = new SubmissionReader(body, context);
    List<Candidate> read = new ArrayList<>();
    reader.json.document(
        () -> read.add(reader.candidate(new SubmissionDraft(reader.json, context))));
    return switch (read.getFirst()) {
      case Candidate.Good good -> good.submission();
      case Candidate.Bad bad -> throw new ProblemException(bad.problem());
    };
  }

  /** A job of a stream, perhaps with a key of its own. */
  public record Line(Submission submission, Optional<IdempotencyKey> key) {}

  /**
   * Reads a job of a stream.
   *
   * @throws ProblemException as {@link #read}
   */
  public static Line readLine(byte[] line, Context context) {
    StrictJson json = new StrictJson(line);
    SubmissionDraft draft = SubmissionDraft.line(json, context);
    json.document(draft::read);
    List<FieldError> errors = json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(problem(errors, draft.isPayloadTooLarge() && errors.size() == 1));
    }
    return new Line(draft.submission(), draft.idempotencyKey());
  }

  /**
   * Reads a batch.
   *
   * @throws ProblemException {@code invalid-request}, {@code batch-too-large} or {@code
   *     payload-too-large}: nothing of the batch can be accepted
   */
  public static Batch readBatch(byte[] body, Context context) {
    SubmissionReader reader = new SubmissionReader(body, context);
    reader.json.document(reader::batch);
    return new Batch(reader.atomic, reader.candidates);
  }

  private void batch() {
    if (json.object(this::field) && !hasJobs) {
      json.error("/jobs", "is required");
    }
    List<FieldError> errors = json.takeErrors();
    if (!errors.isEmpty()) {
      throw new ProblemException(ProblemDocument.invalid(errors));
    }
    candidates = BatchRefs.check(candidates);
    if (atomic) {
      requireGood();
    }
  }

  private void field(String name) {
    switch (name) {
      case "jobs" -> {
        hasJobs = true;
        if (json.array(this::job) && candidates.isEmpty()) {
          json.error("must have at least one job");
        }
      }
      case "atomic" -> atomic = !Boolean.FALSE.equals(json.bool());
      default -> SubmissionDraft.unknown(json, name, BATCH_FIELDS);
    }
  }

  private void job(int index) {
    if (index == MAX_JOBS) {
      throw new ProblemException(
          ProblemDocument.of(
                  Problem.BATCH_TOO_LARGE, "The batch has more than " + MAX_JOBS + " jobs.")
              .with("limit", MAX_JOBS));
    }
    // The envelope's errors are set aside, so that those of the job are its own.
    List<FieldError> envelope = json.takeErrors();
    candidates.add(candidate(SubmissionDraft.batched(json, context)));
    json.restoreErrors(envelope);
  }

  private Candidate candidate(SubmissionDraft draft) {
    draft.read();
    List<FieldError> errors = json.takeErrors();
    return errors.isEmpty()
        ? new Candidate.Good(draft.submission())
        : new Candidate.Bad(errors, draft.isPayloadTooLarge() && errors.size() == 1, draft.ref());
  }

  private void requireGood() {
    List<Candidate.Bad> bad =
        candidates.stream()
            .filter(Candidate.Bad.class::isInstance)
            .map(Candidate.Bad.class::cast)
            .toList();
    if (!bad.isEmpty()) {
      List<FieldError> errors =
          bad.stream().flatMap(candidate -> candidate.errors().stream()).toList();
      throw new ProblemException(problem(errors, bad.stream().allMatch(Candidate.Bad::tooLarge)));
    }
  }

  static ProblemDocument problem(List<FieldError> errors, boolean tooLarge) {
    List<FieldError> first = errors.stream().limit(MAX_ERRORS).toList();
    return tooLarge
        ? ProblemDocument.of(
                Problem.PAYLOAD_TOO_LARGE,
                "A payload has more than " + SubmissionDraft.MAX_PAYLOAD_BYTES + " bytes.")
            .with("limit", SubmissionDraft.MAX_PAYLOAD_BYTES)
            .with("errors", first.stream().map(FieldError::json).toList())
        : ProblemDocument.invalid(first);
  }
}
