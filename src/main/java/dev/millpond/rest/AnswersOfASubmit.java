package dev.millpond.rest;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What the submit of a job can be answered with; of a stream, so can each of its lines. */
@Answers({
  Problem.INVALID_IDEMPOTENCY_KEY,
  Problem.UNKNOWN_TYPE,
  Problem.QUEUE_NOT_FOUND,
  Problem.IDEMPOTENCY_KEY_IN_FLIGHT,
  Problem.DUPLICATE_JOB,
  Problem.JOB_GONE,
  Problem.PAYLOAD_TOO_LARGE,
  Problem.UNSUPPORTED_MEDIA_TYPE,
  Problem.IDEMPOTENCY_KEY_REUSED,
  Problem.TOO_MANY_QUEUES,
  Problem.TENANT_OVER_SHARE,
  Problem.QUEUE_FULL,
  Problem.DEADLINE_UNREACHABLE,
  Problem.OUTCOME_UNKNOWN
})
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface AnswersOfASubmit {}
