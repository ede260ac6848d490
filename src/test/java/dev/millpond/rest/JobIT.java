package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** What can be asked of a job and done to it, in each of its states. */
class JobIT extends WholeApi {

  /** Fails once, and does not try again while a test runs, but for one in 86,400. */
  private static final String FAILS =
      """
      {"type": "demo.fail", "payload": {"times": 1},
       "retry": {"initialDelay": "PT24H", "maxDelay": "PT24H"}}
      """;

  private static final String FAILS_FOR_GOOD =
      "{\"type\": \"demo.fail\", \"payload\": {\"times\": 9, \"permanent\": true}}";

  @Autowired private JdbcClient jdbc;
  @Autowired private Held held;

  private Answer cancel(String id) throws IOException {
    return send("POST", "/v1/jobs/" + id + "/cancel");
  }

  private Answer retry(String id) throws IOException {
    return send("POST", "/v1/jobs/" + id + "/retry");
  }

  private Answer remove(String id) throws IOException {
    return send("DELETE", "/v1/jobs/" + id);
  }

  private static void assertProblem(Answer answer, int status, String slug) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.problem()).isEqualTo(slug);
  }

  @WithoutStoreFaults("a retry that is sent again may meet the job at work")
  @Test
  void aScheduledJob() throws IOException {
    String id = submit(LATER);
    assertThat(get("/v1/jobs/" + id).json().path("reason").asString()).isEqualTo("time");
    assertThat(get("/v1/jobs/" + id).header("Retry-After")).isEqualTo("60");
    assertProblem(remove(id), 409, "job-not-finished");
    assertThat(retry(id).status()).as("now instead of later").isEqualTo(200);
    await(id, "succeeded");

    String other = submit(LATER);
    Answer cancelled = cancel(other);
    assertThat(cancelled.status()).isEqualTo(200);
    assertThat(cancelled.json().path("state").asString()).isEqualTo("cancelled");
    assertThat(cancel(other).status()).as("cancelled already").isEqualTo(200);
  }

  @Test
  void aQueuedJob() throws IOException {
    put("/v1/queues/" + queue, "{\"concurrency\": 1}");
    String first = submit(LONG);
    await(first, "running");
    String id = submit(NOOP);
    JsonNode job = await(id, "queued");
    assertThat(job.path("reason").asString()).isEqualTo("concurrency");
    // Counted in memory, which hears of a start just after the row says it.
    Awaitility.await()
        .atMost(SOON)
        .until(() -> get("/v1/jobs/" + id).json().path("position").asInt() == 1);
    assertThat(retry(id).status()).as("it needs no help").isEqualTo(200);
    assertProblem(remove(id), 409, "job-not-finished");
    String late =
        submit(
            "{\"type\": \"demo.noop\", \"startBy\": \"%s\"}"
                .formatted(Instant.now().plusSeconds(3_600)));
    jdbc.sql("update ready set start_by = now() where id = ?")
        .param(UUID.fromString(late))
        .update();
    assertThat(cancel(id).status()).isEqualTo(200);
    await(late, "expired");
    assertProblem(cancel(late), 409, "job-finished");
    cancel(first);
    await(first, "cancelled");
  }

  @WithoutStoreFaults("a DELETE that is sent again finds nothing")
  @Test
  void aRunningJob() throws IOException {
    String id = submit(HELD);
    await(id, "running");
    assertProblem(retry(id), 409, "job-running");
    assertProblem(remove(id), 409, "job-not-finished");
    for (String time : List.of("first", "asked already")) {
      Answer asked = cancel(id);
      assertThat(asked.status()).as(time).isEqualTo(202);
      assertThat(asked.json().path("state").asString()).isEqualTo("cancelling");
    }
    assertProblem(retry(id), 409, "job-running");
    assertProblem(remove(id), 409, "job-not-finished");
    held.release(id);
    await(id, "cancelled");
    assertThat(remove(id).status()).isEqualTo(204);
    assertProblem(get("/v1/jobs/" + id), 404, "job-not-found");
    assertProblem(remove(id), 404, "job-not-found");
  }

  @Test
  void aRunningJobThatEndsBeforeTheAnswerWasRunningWhenItWasAsked() throws IOException {
    String id = submit(HELD);
    await(id, "running");
    held.releaseWhenCancelled(id);
    Answer asked = cancel(id);
    assertThat(asked.status()).as(asked.body()).isEqualTo(202);
    assertThat(asked.json().path("state").asString()).isIn("cancelled", "succeeded");
    assertThat(asked.header("Retry-After")).isEmpty();
  }

  @WithoutStoreFaults("a retry that is sent again may meet the job at work")
  @Test
  void aRetryingJob() throws IOException {
    String id = submit(FAILS);
    JsonNode job = await(id, "retrying");
    assertThat(job.path("attempts").path(0).path("error").path("type").asString()).isNotBlank();
    assertProblem(remove(id), 409, "job-not-finished");
    assertThat(retry(id).status()).isEqualTo(200);
    JsonNode done = await(id, "succeeded");
    assertThat(done.path("attempts")).hasSize(2);

    String other = submit(FAILS);
    await(other, "retrying");
    assertThat(cancel(other).json().path("state").asString()).isEqualTo("cancelled");
  }

  @WithoutStoreFaults("a DELETE that is sent again finds nothing")
  @Test
  void aSucceededJob() throws IOException {
    String id = submit(NOOP);
    await(id, "succeeded");
    assertProblem(cancel(id), 409, "job-finished");
    assertThat(retry(id).status()).isEqualTo(200);
    JsonNode again = await(id, "succeeded");
    assertThat(again.path("attempts")).hasSize(2);
    assertThat(again.path("maxAttempts").asInt()).isEqualTo(10);
    assertThat(remove(id).status()).isEqualTo(204);
  }

  @WithoutStoreFaults("a DELETE that is sent again finds nothing")
  @Test
  void aFailedJob() throws IOException {
    String id = submit(FAILS_FOR_GOOD);
    JsonNode failed = await(id, "failed");
    assertThat(failed.path("attempt").asInt()).isEqualTo(1);
    assertProblem(cancel(id), 409, "job-finished");
    assertThat(retry(id).status()).isEqualTo(200);
    await(id, "failed");
    assertThat(remove(id).status()).isEqualTo(204);
  }

  @Test
  void aJobSaysHowFarItsCallbackIs() throws IOException {
    String url = "http://127.0.0.1/done";
    String callback = "\"callback\": {\"url\": \"" + url + "\"}}";
    String id = submit("{\"type\": \"demo.noop\", \"delay\": \"PT1H\", " + callback);
    JsonNode waiting = get("/v1/jobs/" + id).json().path("callback");
    assertThat(waiting.path("state").asString()).isEqualTo("waiting");
    assertThat(waiting.path("url").asString()).isEqualTo(url);
    cancel(id);
    JsonNode failed =
        Awaitility.await()
            .atMost(SOON)
            .until(
                () -> get("/v1/jobs/" + id).json().path("callback"),
                found -> found.path("state").asString().equals("failed"));
    assertThat(failed.path("attempts").path(0).path("error").path("type").asString())
        .isEqualTo("address-refused");
    JsonNode listed = get("/v1/jobs?queue=" + queue).json().path("items").path(0);
    assertThat(listed.has("callback")).isFalse();
    JsonNode asked = get("/v1/jobs?include=callback&queue=" + queue).json().path("items").path(0);
    assertThat(asked.path("callback").toString()).isEqualTo(failed.toString());
  }

  @Test
  void aRedriveNeedsRoomLikeASubmit() throws IOException {
    String id = submit(NOOP);
    await(id, "succeeded");
    put("/v1/queues/" + queue, "{\"cap\": 0}");
    assertProblem(retry(id), 503, "queue-full");
    assertThat(get("/v1/jobs/" + id).json().path("state").asString()).isEqualTo("succeeded");
  }

  @Test
  void anUnchangedJobIsNotSentAgain() throws IOException {
    String id = submit(LATER);
    String path = "/v1/jobs/" + id;
    Answer first = get(path);
    assertThat(first.header("ETag")).isEqualTo("W/\"1\"");
    Answer same = get(path, "If-None-Match", first.header("ETag"));
    assertThat(same.status()).isEqualTo(304);
    assertThat(same.header("ETag")).isEqualTo(first.header("ETag"));
    assertThat(get(path, "If-None-Match", "W/\"9\", \"1\"").status()).isEqualTo(304);
    assertThat(get(path, "If-None-Match", "W/\"9\"").status()).isEqualTo(200);
    cancel(id);
    assertThat(get(path, "If-None-Match", first.header("ETag")).status()).isEqualTo(200);
    assertThat(api.send("HEAD", path, java.net.http.HttpRequest.BodyPublishers.noBody()).status())
        .isEqualTo(200);
  }

  @WithoutStoreFaults("a retry that is sent again may meet the job at work")
  @Test
  void aBodyWhereNoneIsReadDoesNoHarm() throws IOException {
    String id = submit(LATER);
    assertThat(post("/v1/jobs/" + id + "/cancel", "{\"any\": 1}").status()).isEqualTo(200);
    assertThat(post("/v1/jobs/" + id + "/retry", "nonsense").status()).isEqualTo(200);
    await(id, "succeeded");
  }
}
