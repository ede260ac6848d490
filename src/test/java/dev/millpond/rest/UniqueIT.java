package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What a client sees of unique keys. */
class UniqueIT extends WholeApi {

  private static String job(String type, String unique) {
    return "{\"type\": \"%s\", \"delay\": \"PT1H\", \"unique\": {\"key\": \"k\"%s}}"
        .formatted(type, unique);
  }

  private static final String EXISTING = job("demo.noop", "");
  private static final String REJECT = job("demo.noop", ", \"onConflict\": \"reject\"");
  private static final String REPLACE =
      """
      {"type": "demo.primes", "payload": {"upTo": 10}, "labels": {"n": "2"},
       "unique": {"key": "k", "until": "PT1H", "onConflict": "replace"}}
      """;

  @Test
  void theJobThatHoldsTheKeyIsTheAnswer() throws IOException {
    Answer first = post(jobsOfTheQueue(), EXISTING);
    assertThat(first.status()).isEqualTo(202);
    assertThat(first.header("Millpond-Unique")).isEmpty();
    Answer second = post(jobsOfTheQueue(), EXISTING, "Idempotency-Key", "second");
    assertThat(second.status()).isEqualTo(200);
    assertThat(second.header("Location")).isEqualTo(first.header("Location"));
    assertThat(second.header("Millpond-Unique")).isEqualTo("existing");
    assertThat(second.json().path("id")).isEqualTo(first.json().path("id"));
    assertThat(second.header("RateLimit")).isEqualTo(first.header("RateLimit"));
    Answer again = post(jobsOfTheQueue(), EXISTING, "Idempotency-Key", "second");
    assertThat(again.status()).isEqualTo(200);
    assertThat(again.header("Location")).isEqualTo(first.header("Location"));
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(post("/v1/jobs", EXISTING).status()).as("another queue").isEqualTo(202);
  }

  @Test
  void whoRejectsIsToldWhoHoldsTheKey() throws IOException {
    String id = submit(EXISTING);
    Answer refused = post(jobsOfTheQueue(), REJECT);
    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.problem()).isEqualTo("duplicate-job");
    assertThat(refused.json().path("jobId").asString()).isEqualTo(id);
  }

  @Test
  void aWaitingJobIsReplaced() throws IOException {
    String id = submit(EXISTING);
    Answer replaced = post(jobsOfTheQueue(), REPLACE);
    assertThat(replaced.status()).isEqualTo(200);
    assertThat(replaced.header("Millpond-Unique")).isEqualTo("replaced");
    JsonNode job = replaced.json();
    assertThat(job.path("id").asString()).isEqualTo(id);
    assertThat(job.path("type").asString()).isEqualTo("demo.primes");
    assertThat(job.path("payload").path("upTo").asInt()).isEqualTo(10);
    assertThat(job.path("labels").path("n").asString()).isEqualTo("2");
    assertThat(job.path("state").asString()).isEqualTo("scheduled");
    send("POST", "/v1/jobs/" + id + "/retry");
    assertThat(await(id, "succeeded").path("result").isNull()).isFalse();
    assertThat(post(jobsOfTheQueue(), REPLACE).status()).as("free").isEqualTo(202);
  }

  @Test
  void aRunningJobIsNotReplaced() throws IOException {
    String id =
        submit(
            "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT1H\"},"
                + " \"unique\": {\"key\": \"k\"}}");
    await(id, "running");
    Answer refused = post(jobsOfTheQueue(), REPLACE);
    assertThat(refused.problem()).isEqualTo("duplicate-job");
    assertThat(refused.json().path("jobId").asString()).isEqualTo(id);
    send("POST", "/v1/jobs/" + id + "/cancel");
    await(id, "cancelled");
  }

  @Test
  void aBatchTellsWhatBecameOfEach() throws IOException {
    String id = submit(EXISTING);
    String jobs = "{\"jobs\": [" + NOOP + "," + EXISTING + "," + REJECT + "]";
    Answer whole = post(jobsOfTheQueue() + "/batch", jobs + "}");
    assertThat(whole.problem()).isEqualTo("duplicate-job");
    assertThat(whole.json().path("place").asInt()).isEqualTo(2);
    assertThat(api.jobs("queue=" + queue)).hasSize(1);
    String each = jobs.replace("]", ", {\"type\": \"no.such\"}]") + ", \"atomic\": false}";
    Answer answer = post(jobsOfTheQueue() + "/batch", each, "Idempotency-Key", "each");
    assertThat(answer.status()).isEqualTo(207);
    JsonNode items = answer.json().path("items");
    assertThat(items.path(0).path("status").asInt()).isEqualTo(202);
    assertThat(items.path(1).path("status").asInt()).isEqualTo(200);
    assertThat(items.path(1).path("id").asString()).isEqualTo(id);
    assertThat(items.path(2).path("status").asInt()).isEqualTo(409);
    assertThat(items.path(2).path("problem").path("jobId").asString()).isEqualTo(id);
    assertThat(items.path(3).path("status").asInt()).isEqualTo(400);
    JsonNode again =
        post(jobsOfTheQueue() + "/batch", each, "Idempotency-Key", "each").json().path("items");
    assertThat(again.path(0)).isEqualTo(items.path(0));
    assertThat(again.path(1)).isEqualTo(items.path(1));
    assertThat(again.path(2).path("id").isNull()).isTrue();

    String two = "{\"jobs\": [" + NOOP + "," + EXISTING + "]}";
    Answer merged = post(jobsOfTheQueue() + "/batch", two);
    assertThat(merged.status()).isEqualTo(202);
    assertThat(merged.json().path("ids").path(1).asString()).isEqualTo(id);
  }

  @Test
  void aJobWhoseKeyIsTakenIsNotSentBack() throws IOException {
    String first = submit(EXISTING);
    send("POST", "/v1/jobs/" + first + "/cancel");
    String second = submit(EXISTING);
    Answer refused = send("POST", "/v1/jobs/" + first + "/retry");
    assertThat(refused.problem()).isEqualTo("duplicate-job");
    assertThat(refused.json().path("jobId").asString()).isEqualTo(second);
    Answer bulk = post(jobsOfTheQueue() + "/retry", "{\"state\": \"cancelled\"}");
    assertThat(bulk.json().path("matched").asInt()).isEqualTo(1);
    assertThat(bulk.json().path("changed").asInt()).isZero();
  }
}
