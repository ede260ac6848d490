package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.SharedMillpond;
import dev.millpond.testing.Sink;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** What a user does first, on the packaged service. */
@Timeout(120)
@ExtendWith(SharedMillpond.class)
class JobsE2E {

  private static final Duration SOON = Duration.ofSeconds(20);

  @Test
  void aHundredCallsArriveOnceEach(ApiClient api) throws IOException {
    try (Sink sink = new Sink()) {
      List<String> ids = new ArrayList<>();
      for (int n = 0; n < 100; n++) {
        ids.add(api.submit("calls", sink.job("/")));
      }
      for (String id : ids) {
        JsonNode job = api.awaitState(id, "succeeded", SOON);
        assertThat(job.path("result").path("status").asInt()).as("%s", job).isEqualTo(204);
      }
      assertThat(sink.counts()).hasSize(ids.size()).containsOnlyKeys(ids);
      assertThat(sink.counts().values()).containsOnly(1);
    }
  }

  @Test
  void fiftySubmitsAtOnceWithOneKeyMakeOneJob(ApiClient api) throws Exception {
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Answer> submit =
          () ->
              api.post(
                  "/v1/queues/one-key/jobs",
                  "{\"type\": \"demo.noop\"}",
                  "Idempotency-Key",
                  "\"one-for-all\"");
      List<Future<Answer>> answers = new ArrayList<>();
      for (int n = 0; n < 50; n++) {
        answers.add(clients.submit(submit));
      }
      Set<String> ids = new HashSet<>();
      for (Future<Answer> future : answers) {
        Answer answer = future.get();
        if (answer.status() != 409) {
          assertThat(answer.status()).as(answer.body()).isEqualTo(202);
          ids.add(answer.json().path("id").asString());
        }
      }
      assertThat(ids).hasSize(1);
      assertThat(api.jobs("queue=one-key")).hasSize(1);
    }
    Answer bare =
        api.post(
            "/v1/queues/one-key/jobs",
            "{\"type\": \"demo.noop\"}",
            "Idempotency-Key",
            "one-for-all");
    assertThat(bare.header("Idempotency-Replayed")).isEqualTo("true");
    Answer other =
        api.post(
            "/v1/queues/one-key/jobs",
            "{\"type\": \"demo.noop\", \"priority\": 9}",
            "Idempotency-Key",
            "one-for-all");
    assertThat(other.status()).isEqualTo(422);
    assertThat(other.problem()).isEqualTo("idempotency-key-reused");
  }

  @Test
  void aWaitingAndARunningJobCanBeCancelled(ApiClient api) throws IOException {
    String waiting = api.submit("cancel", "{\"type\": \"demo.noop\", \"delay\": \"PT1H\"}");
    assertThat(api.cancel(waiting).status()).isEqualTo(200);
    api.awaitState(waiting, "cancelled", SOON);

    String running =
        api.submit("cancel", "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT1H\"}}");
    api.awaitState(running, "running", SOON);
    assertThat(api.cancel(running).status()).isEqualTo(202);
    api.awaitState(running, "cancelled", SOON);
    assertThat(api.cancel(running).status()).isEqualTo(200);
  }

  @Test
  void theDocumentIsOpenApi31AndHasItsPaths(ApiClient api) throws IOException {
    JsonNode document = api.get("/v3/api-docs").json();
    assertThat(document.path("openapi").asString()).startsWith("3.1");
    assertThat(document.path("paths").propertyNames())
        .contains(
            "/v1/jobs",
            "/v1/jobs/{id}",
            "/v1/jobs/{id}/cancel",
            "/v1/jobs/{id}/retry",
            "/v1/jobs/{id}/log",
            "/v1/jobs/{id}/events",
            "/v1/queues",
            "/v1/queues/{queue}",
            "/v1/queues/{queue}/jobs",
            "/v1/queues/{queue}/jobs/batch",
            "/v1/queues/{queue}/claims")
        .doesNotContain("/v1/schedules/{name}");
  }

  @Test
  void theDocumentHasAPageForPeople(ApiClient api) throws IOException {
    Answer redirect = api.get("/swagger-ui.html");
    assertThat(redirect.status()).isEqualTo(302);
    Answer page = api.get(redirect.header("Location"));
    assertThat(page.status()).isEqualTo(200);
    assertThat(page.header("Content-Type")).startsWith("text/html");
  }
}
