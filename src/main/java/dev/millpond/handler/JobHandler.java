package dev.millpond.handler;

import org.jspecify.annotations.Nullable;

/**
 * Does the work of one type of job. Each Spring bean of this type is found by itself.
 *
 * <p>A handler runs at least once for each job, on a thread of its own and outside any transaction;
 * a crash can make it run again, so its effects should bear repetition ({@link JobContext#id()} is
 * a good idempotency key). It is interrupted when the job is cancelled, times out or the service
 * stops.
 *
 * @param <P> the payload: a record whose components are read from the job's JSON and checked by
 *     Bean Validation when the job is submitted, so that what the handler could not read is refused
 *     at the door. An absent component is null, for which the record's constructor may put a
 *     default; an absent primitive is refused. A {@code JsonNode} takes any JSON
 */
public interface JobHandler<P> {

  /**
   * The job type that this handler serves: {@code [a-z0-9][a-z0-9._-]{0,62}}, unique among the
   * handlers.
   */
  String type();

  /** The class of the payload. */
  Class<P> payloadType();

  /**
   * Does the work.
   *
   * @return the job's result, written as JSON of at most 256 KiB; null for none
   * @throws PermanentFailure to fail the job without another attempt
   * @throws RetryLater to name the failure, and to choose when the next attempt starts
   * @throws InterruptedException when it stopped because it was interrupted
   * @throws Exception any other failure: the job's retry policy decides
   */
  @Nullable Object handle(P payload, JobContext context) throws Exception;
}
