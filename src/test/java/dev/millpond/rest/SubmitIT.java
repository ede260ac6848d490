package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** The way in, from the first answer to the job's end. */
class SubmitIT extends WholeApi {

  @Autowired private Held held;

  @Test
  void aJobIsAcceptedRunsAndTellsItsProgress() throws IOException {
    Answer answer =
        post(
            jobsOfTheQueue(),
            """
            {"type": "test.held", "priority": 7, "labels": {"order": "17"}}
            """);
    assertThat(answer.status()).isEqualTo(202);
    String id = answer.json().path("id").asString();
    assertThat(answer.header("Location")).isEqualTo("/v1/jobs/" + id);
    assertThat(answer.header("Retry-After")).isEqualTo("1");
    assertThat(answer.json().path("queue").asString()).isEqualTo(queue);
    assertThat(answer.json().path("labels").path("order").asString()).isEqualTo("17");

    await(id, "running");
    JsonNode running =
        Awaitility.await()
            .atMost(SOON)
            .until(() -> get("/v1/jobs/" + id).json(), job -> job.path("progress").isObject());
    assertThat(running.path("state").asString()).isEqualTo("running");
    assertThat(running.path("attempts").path(0).path("number").asInt()).isEqualTo(1);
    assertThat(running.path("progress").path("percent").asInt()).isEqualTo(40);
    held.release(id);
    JsonNode done = await(id, "succeeded");
    assertThat(done.path("progress").path("percent").asInt()).isEqualTo(100);
    assertThat(done.path("version").asInt()).isGreaterThan(running.path("version").asInt());
    assertThat(done.path("finishedAt").asString()).isGreaterThan(done.path("startedAt").asString());
    assertThat(get("/v1/jobs/" + id).header("Retry-After")).isEmpty();
    assertThat(get("/v1/jobs/" + id + "/log").status()).isEqualTo(200);
  }

  @Test
  void aJobIsForTheTenantThatItOrTheHeaderNames() throws IOException {
    assertThat(post(jobsOfTheQueue(), LATER).json().path("tenant").isNull()).isTrue();
    assertThat(post("/v1/jobs", NOOP, "Millpond-Tenant", "Acme.1").json().path("tenant").asString())
        .isEqualTo("Acme.1");
    String own = LATER.replace("}", ", \"tenant\": \"acme\"}");
    String id = submit(own);
    assertThat(get("/v1/jobs/" + id).json().path("tenant").asString()).isEqualTo("acme");
    assertThat(post(jobsOfTheQueue(), own, "Millpond-Tenant", "acme").status()).isEqualTo(202);

    String batch = "{\"atomic\": false, \"jobs\": [" + LATER + ", " + own + "]}";
    Answer answer = post(jobsOfTheQueue() + "/batch", batch, "Millpond-Tenant", "other");
    JsonNode items = answer.json().path("items");
    assertThat(items.path(1).path("problem").path("errors").path(0).path("pointer").asString())
        .isEqualTo("/jobs/1/tenant");
    JsonNode first = get("/v1/jobs/" + items.path(0).path("id").asString()).json();
    assertThat(first.path("tenant").asString()).isEqualTo("other");
  }

  @Test
  void theSameKeyForAnotherTenantIsAnotherRequest() throws IOException {
    Answer first =
        post(jobsOfTheQueue(), LATER, "Idempotency-Key", "mine", "Millpond-Tenant", "acme");
    assertThat(first.status()).isEqualTo(202);
    Answer again =
        post(jobsOfTheQueue(), LATER, "Idempotency-Key", "mine", "Millpond-Tenant", "acme");
    assertThat(again.header("Location")).isEqualTo(first.header("Location"));
    Answer other =
        post(jobsOfTheQueue(), LATER, "Idempotency-Key", "mine", "Millpond-Tenant", "other");
    assertThat(other.problem()).isEqualTo("idempotency-key-reused");
  }

  @Test
  void theShortPathIsTheDefaultQueue() throws IOException {
    assertThat(post("/v1/jobs", NOOP).json().path("queue").asString()).isEqualTo("default");
  }

  @WithoutStoreFaults("the job that fills a queue is refused when it is sent again")
  @Test
  void eachAnswerTellsTheRoomThatIsLeft() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 3}");
    assertRoom(post(jobsOfTheQueue(), LATER), 202, 2);
    assertRoom(post(jobsOfTheQueue(), "{"), 400, 2);
    assertRoom(post(jobsOfTheQueue(), "{\"type\": \"no.such\"}"), 400, 2);
    String two = "{\"jobs\": [" + LATER + "," + LATER + "]";
    String three = "{\"jobs\": [" + LATER + "," + LATER + "," + LATER + "]}";
    assertRoom(post(jobsOfTheQueue() + "/batch", three), 503, 2);
    assertRoom(post(jobsOfTheQueue() + "/batch", two + ", \"atomic\": false}"), 207, 0);
    assertRoom(post(jobsOfTheQueue(), LATER), 503, 0);
    assertRoom(post(jobsOfTheQueue() + "/batch", two + "}"), 503, 0);
  }

  private static void assertRoom(Answer answer, int status, int room) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.header("RateLimit-Policy")).isEqualTo("\"depth\";q=3;qu=\"jobs\"");
    assertThat(answer.header("RateLimit")).isEqualTo("\"depth\";r=" + room);
  }

  @Test
  void whoAcceptsNoJsonIsRefusedBeforeAnythingIsAccepted() throws IOException {
    Answer answer = post(jobsOfTheQueue(), LATER, "Accept", "text/csv");
    assertThat(answer.status()).isEqualTo(406);
    assertThat(answer.problem()).isEqualTo("not-acceptable");
    assertThat(api.jobs("queue=" + queue)).isEmpty();
  }

  @Test
  void theSameRequestAgainIsTheSameJob() throws IOException {
    Answer first = post(jobsOfTheQueue(), LATER, "Idempotency-Key", "one");
    Answer again = post(jobsOfTheQueue(), LATER, "Idempotency-Key", "\"one\"");
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.header("Location")).isEqualTo(first.header("Location"));
    assertThat(first.header("Idempotency-Replayed")).isEmpty();
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");

    Answer other = post(jobsOfTheQueue(), NOOP, "Idempotency-Key", "one");
    assertThat(other.problem()).isEqualTo("idempotency-key-reused");
    assertThat(other.status()).isEqualTo(422);
    assertThat(api.jobs("queue=" + queue)).hasSize(1);

    String id = first.json().path("id").asString();
    assertThat(api.cancel(id).status()).isEqualTo(200);
    assertThat(post(jobsOfTheQueue(), LATER, "Idempotency-Key", "one").json().path("state"))
        .as("the job as it is now")
        .hasToString("\"cancelled\"");
  }

  @Test
  void aRefusedRequestDoesNotUseUpItsKey() throws IOException {
    assertThat(post(jobsOfTheQueue(), "{}", "Idempotency-Key", "again").status()).isEqualTo(400);
    assertThat(post(jobsOfTheQueue(), NOOP, "Idempotency-Key", "again").status()).isEqualTo(202);
  }

  @Test
  void fiftyEqualRequestsAtOnceAreOneJob() throws Exception {
    Set<String> ids = new HashSet<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer>> answers = new ArrayList<>();
      for (int n = 0; n < 50; n++) {
        answers.add(clients.submit(() -> untilDecided(LATER, "fifty")));
      }
      for (Future<Answer> future : answers) {
        Answer answer = future.get();
        assertThat(answer.status()).as(answer.body()).isEqualTo(202);
        ids.add(answer.json().path("id").asString());
      }
    }
    assertThat(ids).hasSize(1);
    assertThat(api.jobs("queue=" + queue)).hasSize(1);
  }

  /** While the first is still committing the others are told so, and come again. */
  private Answer untilDecided(String job, String key) throws IOException {
    Answer answer;
    do {
      answer = post(jobsOfTheQueue(), job, "Idempotency-Key", key);
    } while (answer.problem().equals("idempotency-key-in-flight"));
    return answer;
  }

  @Test
  void aBatchIsAcceptedWholeInItsOrder() throws IOException {
    String batch = "{\"jobs\": [" + LATER + "," + LATER + "," + LATER + "]}";
    Answer answer = post(jobsOfTheQueue() + "/batch", batch, "Idempotency-Key", "batch");
    assertThat(answer.status()).isEqualTo(202);
    List<String> ids = new ArrayList<>();
    answer.json().path("ids").forEach(id -> ids.add(id.asString()));
    assertThat(ids).hasSize(3).isSorted();
    Answer again = post(jobsOfTheQueue() + "/batch", batch, "Idempotency-Key", "batch");
    assertThat(again.json()).isEqualTo(answer.json());
    assertThat(api.jobs("queue=" + queue)).hasSize(3);
  }

  @Test
  void oneBadJobSpoilsABatch() throws IOException {
    Answer answer =
        post(
            jobsOfTheQueue() + "/batch",
            "{\"jobs\": [" + LATER + ", {\"type\": \"no.such\"}, {\"type\": 7}]}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.body()).contains("\"/jobs/2/type\"");
    assertThat(api.jobs("queue=" + queue)).isEmpty();
  }

  @Test
  void eachJobOfABatchThatIsNotAtomicGetsItsVerdict() throws IOException {
    String batch =
        "{\"atomic\": false, \"jobs\": ["
            + LATER
            + ", {\"type\": \"no.such\"}, {\"type\": \"demo.noop\", \"priority\": 10}, "
            + LATER
            + "]}";
    Answer answer = post(jobsOfTheQueue() + "/batch", batch);
    assertThat(answer.status()).isEqualTo(207);
    JsonNode items = answer.json().path("items");
    assertThat(items.valueStream().map(item -> item.path("status").asInt()))
        .containsExactly(202, 400, 400, 202);
    assertThat(items.path(2).path("problem").path("errors").path(0).path("pointer").asString())
        .isEqualTo("/jobs/2/priority");
    assertThat(api.jobs("queue=" + queue)).hasSize(2);
  }

  @Test
  void aBatchThatIsNotAtomicIsRememberedWithItsGaps() throws IOException {
    String some =
        "{\"atomic\": false, \"jobs\": [{\"type\": 7}, %s, {\"type\": \"no.such\"}, %s, {}]}"
            .formatted(LATER, LATER);
    Answer first = post(jobsOfTheQueue() + "/batch", some, "Idempotency-Key", "some");
    assertThat(first.status()).as(first.body()).isEqualTo(207);
    assertThat(first.header("Idempotency-Replayed")).isEmpty();
    assertThat(first.json().path("items").valueStream().map(item -> item.path("status").asInt()))
        .containsExactly(400, 202, 400, 202, 400);

    Answer again = post(jobsOfTheQueue() + "/batch", some, "Idempotency-Key", "some");
    assertThat(again.status()).as(again.body()).isEqualTo(207);
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(again.json()).isEqualTo(first.json());
    assertThat(api.jobs("queue=" + queue)).hasSize(2);

    Answer other = post(jobsOfTheQueue() + "/batch", some + " ", "Idempotency-Key", "some");
    assertThat(other.problem()).isEqualTo("idempotency-key-reused");
  }

  @Test
  void aBatchOfWhichNothingIsGoodLeavesNothingBehind() throws IOException {
    String none = "{\"atomic\": false, \"jobs\": [{\"type\": 7}, {}]}";
    for (int time = 0; time < 2; time++) {
      Answer answer = post(jobsOfTheQueue() + "/batch", none, "Idempotency-Key", "none");
      assertThat(answer.status()).as(answer.body()).isEqualTo(207);
      assertThat(answer.header("Idempotency-Replayed")).isEmpty();
    }
    assertThat(get("/v1/queues/" + queue).status()).isEqualTo(404);
    Answer other = post(jobsOfTheQueue() + "/batch", none + " ", "Idempotency-Key", "none");
    assertThat(other.status()).as("the key is still free").isEqualTo(207);
  }

  @WithoutStoreFaults("the job that fills a queue is refused when it is sent again")
  @Test
  void aBatchThatCouldNeverFitIsNotToldToWait() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 1}");
    Answer answer = post(jobsOfTheQueue() + "/batch", "{\"jobs\": [" + LATER + "," + LATER + "]}");
    assertThat(answer.status()).isEqualTo(422);
    assertThat(answer.problem()).isEqualTo("batch-exceeds-cap");
    assertThat(answer.json().path("cap").asInt()).isEqualTo(1);
    assertThat(UUID.fromString(submit(LATER))).isNotNull();
  }
}
