import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import millpond.*;

/**
 * A round with a client made from the OpenAPI document: a queue, jobs, a worker of one's own, a
 * schedule. How to make the client stands in the README, "Generated clients". Usage: java Round
 * http://localhost:8080
 */
public final class Round {

  private static final String QUEUE = "round-java";

  public static void main(String[] arguments) throws ApiException {
    ApiClient service = new ApiClient();
    service.updateBaseUri(arguments[0]);
    jobs(new JobsApi(service), new QueuesApi(service));
    fullQueue(new JobsApi(service), new QueuesApi(service));
    worker(new JobsApi(service), new WorkersApi(service));
    schedule(new SchedulesApi(service));
    System.out.println("the round is done");
  }

  private static void jobs(JobsApi jobs, QueuesApi queues) throws ApiException {
    // A queue for the workers in the service and for those of one's own.
    Queue queue = queues.setQueue(QUEUE, new QueueSettings().workers(Workers.BOTH).cap(500));
    expect("cap", queue.getCap(), 500);

    // One job, awaited.
    Submission submission =
        new Submission()
            .type("demo.primes")
            .payload(Map.of("upTo", 1000))
            .labels(Map.of("order", "17"));
    String key = UUID.randomUUID().toString();
    Job primes = jobs.submitJobToQueue(QUEUE, submission, "wait=30", key, null, null);
    expect("state", primes.getState(), State.SUCCEEDED);
    expect("primes", primes.getResult(), 168);

    // A batch: the second job waits for the first.
    BatchedSubmission first = new BatchedSubmission().ref("first").type("demo.noop");
    BatchedSubmission second = new BatchedSubmission().type("demo.noop").addDependsOnItem("first");
    Ids batch = jobs.submitBatch(QUEUE, new Batch().jobs(List.of(first, second)), null, null, null);

    // Its status, as often as it changes.
    Job job = jobs.getJob(batch.getIds().get(1), null, null);
    while (job.getFinishedAt() == null) {
      job = jobs.getJob(job.getId(), "wait=30", null);
    }
    expect("second of the batch", job.getState(), State.SUCCEEDED);

    // A list.
    JobPage page =
        jobs.listJobs(null, QUEUE, null, null, null, List.of("order:17"), null, null, 1, null);
    expect("list", page.getItems().stream().map(Job::getId).toList(), List.of(primes.getId()));

    // Cancelled before it starts.
    Submission noop = new Submission().type("demo.noop");
    Job later = jobs.submitJobToQueue(QUEUE, noop.delay("PT1H"), null, null, null, null);
    expect("cancelled", jobs.cancelJob(later.getId()).getState(), State.CANCELLED);
  }

  /** A full queue is a problem document, and says when to come back. */
  private static void fullQueue(JobsApi jobs, QueuesApi queues) throws ApiException {
    String full = QUEUE + "-full";
    queues.setQueue(full, new QueueSettings().cap(0));
    try {
      jobs.submitJobToQueue(full, new Submission().type("demo.noop"), null, null, null, null);
      throw new IllegalStateException("the full queue took a job");
    } catch (ApiException refused) {
      expect("full", refused.getCode(), 503);
      expect("problem", refused.getResponseBody().contains("/problems/queue-full"), true);
      expect("told when", refused.getResponseHeaders().firstValue("Retry-After").isPresent(), true);
    }
  }

  /** A worker: claim, heartbeat, complete. */
  private static void worker(JobsApi jobs, WorkersApi workers) throws ApiException {
    Submission resize = new Submission().type("resize").payload(Map.of("image", "17.png"));
    jobs.submitJobToQueue(QUEUE, resize, null, null, null, null);
    Claim claim = new Claim().worker("round").addTypesItem("resize").lease("PT30S");
    List<Job> claimed = workers.claimJobs(QUEUE, claim, "wait=30").getJobs();
    expect("claimed", claimed.size(), 1);
    for (Job job : claimed) {
      UUID token = job.getLease().getToken();
      ReportedProgress half = new ReportedProgress().percent(50);
      Held held = workers.heartbeat(job.getId(), new Heartbeat().token(token).progress(half));
      expect("asked to stop", held.getCancelRequested(), false);
      Completion completion = new Completion().token(token).result(Map.of("bytes", 4711));
      expect("resized", workers.completeJob(job.getId(), completion).getState(), State.SUCCEEDED);
    }
  }

  /** A schedule, which keeps what a later request does not name. */
  private static void schedule(SchedulesApi schedules) throws ApiException {
    ScheduleSettings nightly =
        new ScheduleSettings()
            .cron("0 30 2 * * MON-FRI")
            .timeZone("Europe/Berlin")
            .queue(QUEUE)
            .job(new JobTemplate().type("demo.noop"));
    OffsetDateTime next = schedules.setSchedule(QUEUE, nightly, null).getNextFirings().getFirst();
    expect("due in the future", next.isAfter(OffsetDateTime.now()), true);
    Schedule paused = schedules.setSchedule(QUEUE, new ScheduleSettings().paused(true), null);
    expect("paused", paused.getPaused(), true);
    expect("zone", paused.getTimeZone(), "Europe/Berlin");
    schedules.removeSchedule(QUEUE);
  }

  private static void expect(String what, Object seen, Object expected) {
    if (!expected.equals(seen)) {
      throw new IllegalStateException(what + ": " + seen + " instead of " + expected);
    }
  }
}
