package dev.millpond.rest;

import dev.millpond.admission.RequestKey;
import java.util.List;

/** What a problem's document looks like: for its page and for the OpenAPI document. */
final class ProblemExample {

  private ProblemExample() {}

  /** The name of an example: the problem's, and the status if it is not the usual one. */
  static String name(Problem problem, int status) {
    return status == problem.status() ? problem.slug() : problem.slug() + "-" + status;
  }

  /** An occurrence of the problem with one of its statuses. */
  static ProblemDocument of(Problem problem, int status) {
    return status == problem.status()
        ? of(problem)
        : ProblemDocument.of(problem, detail(problem))
            .status(status)
            .with("estimatedWaitMs", 900_000);
  }

  private static String detail(Problem problem) {
    return problem.meaning().replace("`", "");
  }

  /** An occurrence of the problem, with all its members. */
  static ProblemDocument of(Problem problem) {
    ProblemDocument plain = ProblemDocument.of(problem, detail(problem));
    return switch (problem) {
      case INVALID_REQUEST ->
          ProblemDocument.invalid(
              List.of(FieldError.at("/priority", "must be a whole number from 0 to 9")));
      case INVALID_IDEMPOTENCY_KEY ->
          plain.with(
              "errors",
              List.of(FieldError.header(RequestKey.HEADER, "the header was sent 2 times").json()));
      case UNKNOWN_TYPE -> plain.with("knownTypes", List.of("demo.noop", "http.request"));
      case UNKNOWN_FILTER -> plain.with("knownFilters", List.of("cursor", "limit", "state"));
      case PAYLOAD_TOO_LARGE -> plain.with("limit", SubmissionDraft.MAX_PAYLOAD_BYTES);
      case BATCH_TOO_LARGE -> plain.with("limit", SubmissionReader.MAX_JOBS);
      case BATCH_EXCEEDS_CAP -> plain.with("queue", "default").with("cap", 100);
      case DUPLICATE_JOB -> plain.with("jobId", "01a20fbd-420f-772c-86d6-c67d0b7e625c");
      case LEASE_LOST -> plain.with("state", "running");
      case INTERNAL_ERROR -> plain.with("reference", "5f1c09ab");
      case QUEUE_FULL ->
          plain
              .with("queue", "default")
              .with("depth", 10_000)
              .with("cap", 10_000)
              .with("drainRatePerSecond", 48.5)
              .with("retryAfterMs", 2_400)
              .with("violated-policies", List.of("depth"));
      case TENANT_OVER_SHARE ->
          plain
              .with("tenant", "acme")
              .with("tenantDepth", 3_120)
              .with("share", 2_500)
              .with("queue", "default")
              .with("depth", 9_100)
              .with("cap", 10_000)
              .with("retryAfterMs", 2_400)
              .with("violated-policies", List.of("tenant"));
      case DEADLINE_UNREACHABLE ->
          plain.with("estimatedWaitMs", 90_000).with("retryAfterMs", 45_000);
      case FOREIGN_ORIGIN,
          INVALID_CURSOR,
          NOT_FOUND,
          QUEUE_NOT_FOUND,
          JOB_NOT_FOUND,
          SCHEDULE_NOT_FOUND,
          METHOD_NOT_ALLOWED,
          NOT_ACCEPTABLE,
          IDEMPOTENCY_KEY_IN_FLIGHT,
          JOB_FINISHED,
          JOB_BLOCKED,
          JOB_RUNNING,
          NO_PULL_WORKERS,
          JOB_NOT_FINISHED,
          QUEUE_NOT_EMPTY,
          JOB_GONE,
          UNSUPPORTED_MEDIA_TYPE,
          MISDIRECTED_REQUEST,
          IDEMPOTENCY_KEY_REUSED,
          TOO_MANY_QUEUES,
          TOO_MANY_SCHEDULES,
          DATABASE_UNAVAILABLE,
          OUTCOME_UNKNOWN,
          OVERLOADED ->
          plain;
    };
  }
}
