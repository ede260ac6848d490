package dev.millpond.faults;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import tools.jackson.databind.JsonNode;

/**
 * Clients that submit job after job, each under a key that it keeps until the job is acknowledged,
 * at whichever node comes next; read each job back at once; and look at their unfinished ones again
 * and again. What they see goes into the history.
 */
final class Clients implements AutoCloseable {

  private static final Duration BEFORE_RETRY = Duration.ofMillis(100);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);

  private final History history;
  private final List<ApiClient> nodes;
  private final String queue;
  private final Duration pace;
  private final IntFunction<String> job;
  private final AtomicInteger acknowledged = new AtomicInteger();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean ended;

  /**
   * @param pace between two submits of a client
   * @param job the members of the n-th job's JSON, without the braces; its labels are set here
   */
  Clients(
      History history,
      List<ApiClient> nodes,
      String name,
      String queue,
      int count,
      Duration pace,
      IntFunction<String> job) {
    this.history = history;
    this.nodes = nodes;
    this.queue = queue;
    this.pace = pace;
    this.job = job;
    for (int n = 0; n < count; n++) {
      One one = new One(name + "-" + n, new Random(n));
      threads.add(Thread.ofPlatform().name(one.name).start(one));
    }
  }

  /** How many jobs were acknowledged so far. */
  int acknowledged() {
    return acknowledged.get();
  }

  /** Ends the submitting; a job that is not acknowledged by now stays so. */
  @Override
  public void close() {
    ended = true;
    for (Thread thread : threads) {
      try {
        thread.join(Duration.ofSeconds(30));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private final class One implements Runnable {

    private final String name;
    private final Random random;
    private final Map<UUID, String> unfinished = new HashMap<>();

    One(String name, Random random) {
      this.name = name;
      this.random = random;
    }

    @Override
    public void run() {
      for (int n = 0; !ended; n++) {
        String key = name + "-" + n;
        history.add(new Event.Submitted(history.now(), key));
        String body = "{%s, \"labels\": {\"key\": \"%s\"}}".formatted(job.apply(n), key);
        while (!ended && !submit(key, body)) {
          lookAtOne();
        }
        lookAtOne();
        LockSupport.parkNanos(pace.toNanos());
      }
    }

    private ApiClient node() {
      return nodes.get(random.nextInt(nodes.size()));
    }

    /** Whether the job was acknowledged. */
    private boolean submit(String key, String body) {
      Duration wait = BEFORE_RETRY;
      try {
        Answer answer =
            node()
                .post("/v1/queues/" + queue + "/jobs", body, "Idempotency-Key", "\"" + key + "\"");
        switch (answer.status()) {
          case 200, 202 -> {
            UUID id = UUID.fromString(answer.json().path("id").asString());
            history.add(new Event.Acknowledged(history.now(), key, id));
            acknowledged.incrementAndGet();
            unfinished.put(id, "");
            look(id, true);
            return true;
          }
          case 409, 503 -> wait = refused(key, answer);
          default -> {
            history.add(
                new Event.Refused(history.now(), key, answer.status(), answer.problem(), ""));
          }
        }
      } catch (ConnectException nobodyThere) {
        // Never sent.
      } catch (IOException noAnswer) {
        history.add(new Event.Unknown(history.now(), key, noAnswer.toString()));
      }
      LockSupport.parkNanos(wait.toNanos());
      return false;
    }

    private Duration refused(String key, Answer answer) {
      if (answer.problem().equals("outcome-unknown")) {
        history.add(new Event.Unknown(history.now(), key, "outcome-unknown"));
      }
      history.add(
          new Event.Refused(
              history.now(), key, answer.status(), answer.problem(), answer.header("Retry-After")));
      JsonNode told = answer.json().path("retryAfterMs");
      Duration wait = told.isNumber() ? Duration.ofMillis(told.asLong()) : BEFORE_RETRY;
      // Else an outage would be followed by a minute in which nobody tests anything.
      return wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
    }

    private void lookAtOne() {
      unfinished.keySet().stream()
          .skip(unfinished.isEmpty() ? 0 : random.nextInt(unfinished.size()))
          .findFirst()
          .ifPresent(id -> look(id, false));
    }

    private void look(UUID id, boolean first) {
      try {
        Answer answer = node().get("/v1/jobs/" + id);
        boolean found = answer.status() == 200;
        String state = found ? answer.json().path("state").asString() : answer.problem();
        history.add(
            new Event.Seen(
                history.now(),
                name,
                id,
                first,
                answer.status(),
                state,
                found ? answer.json().path("version").asLong() : 0));
        // The last look at a finished job comes some time after the first.
        if (Checker.FINAL_STATES.contains(state)
            && Checker.FINAL_STATES.contains(unfinished.put(id, state))) {
          unfinished.remove(id);
        }
      } catch (IOException noAnswer) {
        // Says nothing about the job.
      }
    }
  }
}
