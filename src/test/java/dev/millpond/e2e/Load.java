package dev.millpond.e2e;

import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/**
 * Clients that submit job after job, each under an {@code Idempotency-Key} that it keeps until the
 * job is acknowledged. What they saw is the history that a test judges by.
 */
final class Load implements AutoCloseable {

  /** Between two submits of a client, so that the backlog stays small. */
  private static final Duration PACE = Duration.ofMillis(10);

  private static final Duration BEFORE_RETRY = Duration.ofMillis(100);

  private final String queue;
  private final IntFunction<String> job;
  private final List<Thread> clients = new ArrayList<>();
  private final Set<String> tried = ConcurrentHashMap.newKeySet();
  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
  private final Set<String> unknown = ConcurrentHashMap.newKeySet();
  private final AtomicInteger refused = new AtomicInteger();
  private final ConcurrentLinkedQueue<String> unexpected = new ConcurrentLinkedQueue<>();
  private volatile boolean ended;

  /**
   * Starts the clients.
   *
   * @param job the members of the n-th job's JSON, without the braces; its labels are set here
   */
  Load(MillpondProcess service, String queue, int clients, IntFunction<String> job) {
    this.queue = queue;
    this.job = job;
    for (int client = 0; client < clients; client++) {
      int number = client;
      ApiClient api = service.api();
      this.clients.add(
          Thread.ofPlatform().name("client-" + client).start(() -> submitAll(api, number)));
    }
  }

  private void submitAll(ApiClient api, int client) {
    for (int n = 0; !ended; n++) {
      String key = client + "-" + n;
      tried.add(key);
      String body = "{%s, \"labels\": {\"key\": \"%s\"}}".formatted(job.apply(n), key);
      while (!ended && !submit(api, key, body)) {
        LockSupport.parkNanos(BEFORE_RETRY.toNanos());
      }
      LockSupport.parkNanos(PACE.toNanos());
    }
  }

  /** Whether the job was acknowledged. */
  private boolean submit(ApiClient api, String key, String body) {
    try {
      Answer answer =
          api.post("/v1/queues/" + queue + "/jobs", body, "Idempotency-Key", "\"" + key + "\"");
      switch (answer.status()) {
        case 200, 202 -> acknowledged.put(key, answer.json().path("id").asString());
        case 503 -> {
          refused.incrementAndGet();
          if (answer.problem().equals("outcome-unknown")) {
            unknown.add(key);
          } else if (answer.problem().isEmpty() || answer.header("Retry-After").isEmpty()) {
            unexpected.add(answer.toString());
          }
        }
        case 409 -> unknown.add(key);
        default -> unexpected.add(answer.toString());
      }
      return acknowledged.containsKey(key);
    } catch (ConnectException neverSent) {
      return false;
    } catch (IOException noAnswer) {
      unknown.add(key);
      return false;
    }
  }

  /** Waits until so many more jobs were acknowledged. */
  void awaitAcknowledged(int more) {
    int target = acknowledged.size() + more;
    await(more + " more jobs acknowledged")
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> acknowledged.size() >= target);
  }

  /** Every key that was used, whatever came of it. */
  Set<String> tried() {
    return tried;
  }

  /** The ids of the jobs that were acknowledged, by key. */
  Map<String, String> acknowledged() {
    return acknowledged;
  }

  /** The keys of the submits that once got no answer; most were acknowledged by a later try. */
  Set<String> unknown() {
    return unknown;
  }

  /** How many submits were answered 503. */
  int refused() {
    return refused.get();
  }

  /** The answers that the contract does not allow. */
  Iterable<String> unexpected() {
    return unexpected;
  }

  /** Ends the clients; a job that is not acknowledged by now stays so. */
  @Override
  public void close() {
    ended = true;
    for (Thread client : clients) {
      try {
        client.join(Duration.ofSeconds(20));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
