package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.job.Watches;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.ScheduledAnnotationBeanPostProcessor;

/** Requests that wait: for the end of a job that they submit, or for a change of one. */
class WaitIT extends WholeApi {

  /** Well below the wait that is asked for, and the polls of a client. */
  private static final Duration AT_ONCE = Duration.ofSeconds(10);

  @Autowired private Held held;
  @Autowired private JdbcClient jdbc;
  @Autowired private MeterRegistry meters;
  @Autowired private Watches watches;
  @Autowired private ScheduledAnnotationBeanPostProcessor schedule;

  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void endClients() {
    clients.shutdownNow();
  }

  /** Sends a request that is to wait, and returns when it does. */
  private Future<Answer> waiting(Callable<Answer> request) {
    double before = watchers();
    Future<Answer> answer = clients.submit(request);
    Awaitility.await().atMost(SOON).until(() -> watchers() > before);
    return answer;
  }

  private double watchers() {
    return meters.get("millpond.watchers").gauge().value();
  }

  private String running() throws IOException {
    String id = submit(HELD);
    Awaitility.await()
        .atMost(SOON)
        .until(() -> get("/v1/jobs/" + id).json().path("progress").path("percent").asInt() == 40);
    return id;
  }

  private static Answer within(Duration limit, Future<Answer> answer) {
    assertThat(answer).succeedsWithin(limit);
    return answer.resultNow();
  }

  @Test
  void aQuickJobIsAnsweredWithItsResult() throws IOException {
    String primes = "{\"type\": \"demo.primes\", \"payload\": {\"upTo\": 100}}";
    long sent = System.nanoTime();
    Answer answer = post(jobsOfTheQueue(), primes, "Prefer", "wait=30");
    assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(AT_ONCE);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.header("Preference-Applied")).isEqualTo("wait=30");
    assertThat(answer.header("Retry-After")).isEmpty();
    assertThat(answer.json().path("state").asString()).isEqualTo("succeeded");
    assertThat(answer.json().path("result").isNull()).isFalse();
    assertThat(get(answer.header("Location")).json()).isEqualTo(answer.json());
  }

  @WithoutStoreFaults("a claim that failed comes later than the answer")
  @Test
  void aJobThatTakesLongerIsAcceptedAsEver() throws IOException {
    long sent = System.nanoTime();
    Answer answer = post(jobsOfTheQueue(), HELD, "Prefer", "wait=1");
    assertThat(Duration.ofNanos(System.nanoTime() - sent)).isGreaterThan(Duration.ofMillis(990));
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(answer.header("Preference-Applied")).isEqualTo("wait=1");
    assertThat(answer.json().path("state").asString()).as("as it is now").isEqualTo("running");
    held.release(answer.json().path("id").asString());
  }

  @Test
  void aRepeatedSubmitWaitsForTheSameJob() throws IOException {
    String[] headers = {"Prefer", "wait=30", "Idempotency-Key", UUID.randomUUID().toString()};
    Answer first = post(jobsOfTheQueue(), NOOP, headers);
    Answer second = post(jobsOfTheQueue(), NOOP, headers);
    assertThat(second.status()).isEqualTo(200);
    assertThat(second.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(second.json()).isEqualTo(first.json());
  }

  @Test
  void aPreferenceThatIsNoneIsIgnored() throws IOException {
    Answer answer = post(jobsOfTheQueue(), HELD, "Prefer", "wait=soon");
    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.header("Preference-Applied")).isEmpty();
    held.release(answer.json().path("id").asString());
  }

  @Test
  void whoWaitsForAChangeIsToldWhenItComes() throws IOException {
    String path = "/v1/jobs/" + running();
    String seen = get(path).header("ETag");
    Future<Answer> answer = waiting(() -> get(path, "Prefer", "wait=60", "If-None-Match", seen));
    Future<Answer> fromNow = waiting(() -> get(path, "Prefer", "wait=60"));
    held.release(path.replaceFirst(".*/", ""));
    for (Future<Answer> each : List.of(answer, fromNow)) {
      Answer changed = within(AT_ONCE, each);
      assertThat(changed.status()).isEqualTo(200);
      assertThat(changed.header("ETag")).isNotEqualTo(seen);
      assertThat(changed.header("Preference-Applied")).isEqualTo("wait=60");
    }
  }

  @Test
  void whatThisNodeDoesIsToldAndNotFound() throws IOException {
    put("/v1/queues/" + queue, "{\"concurrency\": 1}");
    // Without its turn, which would find all of it.
    schedule.postProcessBeforeDestruction(watches, "watches");
    try {
      String first = running();
      String second = submit(LONG); // reports no progress
      Future<Answer> started = waiting(() -> get("/v1/jobs/" + second, "Prefer", "wait=60"));
      Future<Answer> ended = waiting(() -> post(jobsOfTheQueue(), NOOP, "Prefer", "wait=60"));
      String later = submit(LATER);
      Future<Answer> cancelled = waiting(() -> get("/v1/jobs/" + later, "Prefer", "wait=60"));
      send("POST", "/v1/jobs/" + later + "/cancel");
      assertThat(state(cancelled)).isEqualTo("cancelled");
      held.release(first);
      assertThat(state(started)).isEqualTo("running");
      send("POST", "/v1/jobs/" + second + "/cancel");
      assertThat(state(ended)).isEqualTo("succeeded");
    } finally {
      schedule.postProcessAfterInitialization(watches, "watches");
    }
  }

  private static String state(Future<Answer> answer) {
    return within(AT_ONCE, answer).json().path("state").asString();
  }

  @Test
  void whatAnotherNodeChangesIsFound() throws IOException {
    String id = running();
    Future<Answer> answer = waiting(() -> get("/v1/jobs/" + id, "Prefer", "wait=60"));
    jdbc.sql("update lease set progress_percent = 41, version = version + 1 where id = :id")
        .param("id", UUID.fromString(id))
        .update();
    Answer changed = within(AT_ONCE, answer);
    assertThat(changed.json().path("progress").path("percent").asInt()).isEqualTo(41);
    held.release(id);
  }

  @Test
  void nothingNewIsA304WhenTheTimeIsOver() throws IOException {
    String path = "/v1/jobs/" + running();
    long sent = System.nanoTime();
    Answer same = get(path, "Prefer", "wait=1", "If-None-Match", get(path).header("ETag"));
    assertThat(Duration.ofNanos(System.nanoTime() - sent)).isGreaterThan(Duration.ofMillis(990));
    assertThat(same.status()).isEqualTo(304);
    assertThat(same.header("Preference-Applied")).isEqualTo("wait=1");
    held.release(path.replaceFirst(".*/", ""));
  }

  @Test
  void aFinishedJobIsNotWaitedFor() throws IOException {
    String id = submit(NOOP);
    await(id, "succeeded");
    String path = "/v1/jobs/" + id;
    long sent = System.nanoTime();
    String seen = get(path, "Prefer", "wait=60").header("ETag");
    assertThat(get(path, "Prefer", "wait=60", "If-None-Match", seen).status()).isEqualTo(304);
    assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(AT_ONCE);
  }

  @Test
  void thoseWhoWaitHoldNoConnection() throws IOException {
    String id = running();
    List<Future<Answer>> many = new ArrayList<>();
    for (int n = 0; n < 100; n++) {
      many.add(clients.submit(() -> api.get("/v1/jobs/" + id, "Prefer", "wait=60")));
    }
    Awaitility.await().atMost(SOON).until(() -> watchers() == many.size());
    assertThat(get("/v1/jobs/" + id).status()).as("eight connections serve all").isEqualTo(200);
    held.release(id);
    for (Future<Answer> answer : many) {
      assertThat(within(AT_ONCE, answer).status()).isEqualTo(200);
    }
    Awaitility.await().atMost(SOON).until(() -> watchers() == 0);
  }
}
