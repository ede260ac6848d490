package dev.millpond.rest;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The catalogue of refusals: what each means and what its reader can do. It is the source of the
 * problem documents (RFC 9457), of their pages under {@code /problems} and of the OpenAPI text. A
 * problem's name is part of the contract.
 */
public enum Problem {
  INVALID_REQUEST(
      400,
      "The request is not valid",
      "A field, a parameter or a header is missing, unknown, of the wrong type or out of its range,"
          + " or the body is not JSON. Nothing was done.",
      "Read `errors`: each entry names the place, by JSON Pointer or by parameter, and what it"
          + " should hold. Correct the request before it is sent again."),
  INVALID_IDEMPOTENCY_KEY(
      400,
      "The Idempotency-Key cannot be used",
      "The header holds no key, more than one, more than 255 characters, or characters other than"
          + " visible ASCII. Nothing was done.",
      "Send one key a request, for example a UUID, either bare or in double quotes."),
  INVALID_CURSOR(
      400,
      "The cursor cannot be read",
      "The `cursor` was not made by this service, or was cut on its way.",
      "Send the `nextCursor` of the page before exactly as it came, or start again without one."),
  UNKNOWN_TYPE(
      400,
      "No handler for this type of job",
      "This service has no handler for the job's `type`, so the job could never run. Nothing was"
          + " accepted.",
      "Choose one of `knownTypes`, or start the service with a handler for the type."),
  UNKNOWN_FILTER(
      400,
      "Unknown query parameter",
      "The address takes no such parameter. It is refused, because a filter that is ignored would"
          + " answer with more than was asked for. Nothing was done.",
      "Choose among `knownFilters`, or send no query where it is empty."),
  FOREIGN_ORIGIN(
      403,
      "Requests of other web pages are refused",
      "The request was sent by a browser for a web page that is not this service's own.",
      "Call the service from a program instead of from another site's page."),
  NOT_FOUND(
      404,
      "There is nothing at this address",
      "The path is none of this service's.",
      "Compare the path with the API description at `/swagger-ui.html`."),
  QUEUE_NOT_FOUND(
      404,
      "There is no such queue",
      "No queue has this name. Names hold lower-case letters, digits, dots, dashes and underscores,"
          + " at most 63 in all.",
      "Check the name, or create the queue first."),
  JOB_NOT_FOUND(
      404,
      "There is no such job",
      "No job has this id, or it is no job's id at all.",
      "Check the id: it is the last part of the `Location` that the submit was answered with."),
  SCHEDULE_NOT_FOUND(
      404,
      "There is no such schedule",
      "No schedule has this name. Names hold lower-case letters, digits, dots, dashes and"
          + " underscores, at most 63 in all.",
      "Check the name, or create the schedule first."),
  METHOD_NOT_ALLOWED(
      405,
      "The address does not know this method",
      "The path exists, but not for this HTTP method.",
      "Use one of the methods in the `Allow` header."),
  NOT_ACCEPTABLE(
      406,
      "The answer cannot be given in that form",
      "The `Accept` header names no media type that this address can answer with.",
      "Accept `application/json`, or leave the header out."),
  IDEMPOTENCY_KEY_IN_FLIGHT(
      409,
      "A request with this Idempotency-Key is still at work",
      "The first request with the key has not been decided yet. This one did nothing.",
      "Repeat the same request after `Retry-After` seconds; the answer will be the first one's."),
  JOB_FINISHED(
      409,
      "The job has finished",
      "The job is in a final state, so this cannot be done to it any more.",
      "Read the job to see how it ended. To run it again, use its `retry`."),
  DUPLICATE_JOB(
      409,
      "Another job holds the unique key",
      "The job's `unique.key` is held by `jobId` in the same queue: it was submitted before with"
          + " the key, which is not free yet. Nothing was done.",
      "Look at the job that holds the key. To be answered with it instead, send `onConflict:"
          + " existing`; a `replace` succeeds only while it waits. Where the key should be free as"
          + " soon as a job starts, send `until: started`."),
  JOB_BLOCKED(
      409,
      "The job waits for other jobs",
      "The job depends on jobs that have not ended, so it cannot be let start. Nothing was done.",
      "Wait for them, or see in the job's `graph` which they are and what keeps them."),
  JOB_RUNNING(
      409,
      "The job is running",
      "This cannot be done while a worker holds the job.",
      "Wait until it has finished, or cancel it first."),
  JOB_NOT_FINISHED(
      409,
      "The job has not finished",
      "Only a job in a final state can be removed.",
      "Wait until it has finished, or cancel it first."),
  LEASE_LOST(
      409,
      "The lease was lost",
      "The token holds no lease of this job: it expired and the job was taken from its worker, or"
          + " it was ended by another settlement. Nothing was done. Where the job is still there,"
          + " `state` says how it is now.",
      "Stop working on the job and drop what came of it: another worker has it, or it has ended. If"
          + " this happens often, send heartbeats earlier or ask for a longer `lease`."),
  NO_PULL_WORKERS(
      409,
      "The queue has no pull workers",
      "The jobs of the queue are for the workers in the service. Nothing was claimed.",
      "Set the queue's `workers` to `pull` or `both` with `PUT /v1/queues/{queue}` and try again a"
          + " second later."),
  QUEUE_NOT_EMPTY(
      409,
      "The queue still has jobs",
      "Only a queue without waiting and running jobs can be deleted.",
      "Let it drain, or purge it, and try again."),
  JOB_GONE(
      410,
      "The job was removed, or never existed",
      "The id is older than the time for which finished jobs are kept, and no job has it now.",
      "There is nothing more to learn about it. Keep finished jobs longer if you need to."),
  PAYLOAD_TOO_LARGE(
      413,
      "The body or a payload is too large",
      "The body, or the payload of a job, has more than `limit` bytes. Nothing was done.",
      "Store large data elsewhere and put its address into the payload; split large batches."),
  BATCH_TOO_LARGE(
      413,
      "The batch has too many jobs",
      "A batch holds at most `limit` jobs. Nothing was accepted.",
      "Split it into several batches."),
  UNSUPPORTED_MEDIA_TYPE(
      415,
      "The body is not in a form that is understood",
      "The `Content-Type` is missing, or is none that this address reads. Nothing was done.",
      "Send JSON in UTF-8 with `Content-Type: application/json`."),
  MISDIRECTED_REQUEST(
      421,
      "The service is not known by this host name",
      "The `Host` header names a host that this service was not told it is. This protects a service"
          + " without API keys from web pages that point their own name at it.",
      "Use localhost, or add the name to the setting `millpond.rest.hosts`."),
  IDEMPOTENCY_KEY_REUSED(
      422,
      "The Idempotency-Key belongs to another request",
      "The key was used before with other bytes. Nothing was done.",
      "Take a new key for a new request, and send a repeated one unchanged, byte for byte."),
  BATCH_EXCEEDS_CAP(
      422,
      "The batch is larger than the queue's cap",
      "The batch has more jobs than the queue may ever hold, so waiting would not help. Nothing was"
          + " accepted.",
      "Split the batch into parts of at most `cap` jobs, or raise the cap."),
  TOO_MANY_QUEUES(
      422,
      "There are too many queues",
      "A new queue would be one more than the service holds. Nothing was accepted.",
      "Use an existing queue, or delete those that are no longer needed."),
  TOO_MANY_SCHEDULES(
      422,
      "There are too many schedules",
      "A new schedule would be one more than the service holds. Nothing was done.",
      "Delete schedules that are no longer needed, or raise `millpond.schedule.max`."),
  TENANT_OVER_SHARE(
      429,
      "The tenant has its share of the queue",
      "The queue is nearly full, and as many jobs of the tenant wait in it as its `share` allows:"
          + " what is left is for the others. Nothing was accepted.",
      "Send the same request again after `Retry-After` seconds: that is when its turn is expected"
          + " to come. If this happens often, add workers or raise the cap."),
  INTERNAL_ERROR(
      500,
      "The service made a mistake",
      "Something went wrong that should not. Whether the request had an effect is not known.",
      "Tell the operator the `reference`: the service's log holds the cause under it."),
  QUEUE_FULL(
      503,
      "The queue is full",
      "As many jobs wait in the queue as its cap allows, or the room that is left is for others who"
          + " were told to come for it. Nothing was accepted. Where `reason` is `scheduled`, jobs"
          + " whose time has not come hold the room; where it is `paused`, none of the queue's jobs"
          + " may start until an operator resumes it.",
      "Send the same request again after `Retry-After` seconds: that is when its turn is expected"
          + " to come. If this happens often, add workers or raise the cap."),
  DEADLINE_UNREACHABLE(
      List.of(503, 422),
      "The job would start too late",
      "A job that is accepted now would wait for about `estimatedWaitMs`, and so start after its"
          + " `startBy`. Nothing was accepted.",
      "With status 503, send the same request again after `Retry-After` seconds: by then it could"
          + " start in time. With status 422 no try before `startBy` could succeed: choose a later"
          + " one, or do without the job."),
  DATABASE_UNAVAILABLE(
      503,
      "The database cannot be reached",
      "The service cannot reach its database at the moment. Nothing was done.",
      "Send the same request again after `Retry-After` seconds."),
  OUTCOME_UNKNOWN(
      503,
      "It is not known whether the request had its effect",
      "The connection to the database broke while the change was being committed. It may have been"
          + " made, or not.",
      "Repeat the request with the same `Idempotency-Key`: what was done already is not done"
          + " again. Without one, look first whether the change is there."),
  OVERLOADED(
      503,
      "The service is overloaded",
      "The service has more to do than it can at the moment. Nothing was done.",
      "Send the same request again after `Retry-After` seconds.");

  @SuppressWarnings("ImmutableEnumChecker") // each is made by List.of
  private final List<Integer> statuses;

  private final String title;
  private final String meaning;
  private final String remedy;

  Problem(int status, String title, String meaning, String remedy) {
    this(List.of(status), title, meaning, remedy);
  }

  Problem(List<Integer> statuses, String title, String meaning, String remedy) {
    this.statuses = statuses;
    this.title = title;
    this.meaning = meaning;
    this.remedy = remedy;
  }

  /** The last part of its {@code type}, such as {@code queue-full}. */
  public String slug() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Its {@code type}: the path of its page. */
  public String type() {
    return "/problems/" + slug();
  }

  /** The HTTP status of its answers, unless they say otherwise. */
  public int status() {
    return statuses.getFirst();
  }

  /** Each HTTP status that its answers may have, the usual one first. */
  public List<Integer> statuses() {
    return statuses;
  }

  /** A few words for a person, the same in each answer. */
  public String title() {
    return title;
  }

  /** What happened, and what did not. Names of fields and headers stand in backquotes. */
  public String meaning() {
    return meaning;
  }

  /** What the reader can do. Names of fields and headers stand in backquotes. */
  public String remedy() {
    return remedy;
  }

  /** The problem with this slug. */
  public static Optional<Problem> of(String slug) {
    return Arrays.stream(values()).filter(problem -> problem.slug().equals(slug)).findFirst();
  }
}
