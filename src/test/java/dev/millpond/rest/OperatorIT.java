package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** What operators do to a queue as a whole. */
@WithoutStoreFaults("what is done again to many finds nothing left to do")
class OperatorIT extends WholeApi {

  private static final String DEAD =
      "{\"type\": \"demo.fail\", \"payload\": {\"times\": 1, \"permanent\": true}}";

  @Autowired private JdbcClient jdbc;

  private String path(String verb) {
    return "/v1/queues/" + queue + "/" + verb;
  }

  private JsonNode queue() throws IOException {
    return get("/v1/queues/" + queue).json();
  }

  private JsonNode job(String id) throws IOException {
    return get("/v1/jobs/" + id).json();
  }

  private static void assertDone(Answer answer, int matched, int changed) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.json().path("matched").asInt()).isEqualTo(matched);
    assertThat(answer.json().path("changed").asInt()).isEqualTo(changed);
    assertThat(answer.json().path("more").asBoolean()).isFalse();
  }

  @Test
  void aPausedQueueTakesJobsAndStartsNoneUntilItIsResumed() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 2}");
    assertThat(send("POST", path("pause")).json().path("paused").asBoolean()).isTrue();
    String id = submit(NOOP);
    String other = submit(NOOP);
    Answer refused = post(jobsOfTheQueue(), NOOP);
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.json().path("reason").asString()).isEqualTo("paused");
    assertThat(Integer.parseInt(refused.header("Retry-After"))).isBetween(30, 91);
    JsonNode waits = job(id);
    assertThat(waits.path("state").asString()).isEqualTo("queued");
    assertThat(waits.path("reason").asString()).isEqualTo("paused");
    assertThat(waits.path("estimatedStartAt").isNull()).isTrue();
    assertThat(send("POST", path("resume")).json().path("paused").asBoolean()).isFalse();
    await(id, "succeeded");
    await(other, "succeeded");
  }

  @Test
  void aPauseOfAnotherNodeIsInForceWithinASecondAndSoIsItsEnd() throws IOException {
    put("/v1/queues/" + queue, "{}");
    pausedElsewhere(true);
    Awaitility.await().atMost(SOON).until(() -> queue().path("paused").asBoolean());
    String id = submit(NOOP);
    assertThat(job(id).path("reason").asString()).isEqualTo("paused");
    pausedElsewhere(false);
    await(id, "succeeded");
  }

  private void pausedElsewhere(boolean paused) {
    jdbc.sql("update queue set paused = ?, updated_at = now() where name = ?")
        .params(paused, queue)
        .update();
  }

  @Test
  void startsAreSpreadByARateLimit() throws IOException {
    JsonNode set =
        put("/v1/queues/" + queue, "{\"rateLimit\": {\"starts\": 10, \"per\": \"PT1S\"}}").json();
    assertThat(set.path("rateLimit").toString()).isEqualTo("{\"starts\":10,\"per\":\"PT1S\"}");
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 15; i++) {
      ids.add(submit(NOOP));
    }
    assertThat(job(ids.getLast()).path("reason").asString()).isEqualTo("rate-limit");
    List<Instant> starts = new ArrayList<>();
    for (String id : ids) {
      starts.add(Instant.parse(await(id, "succeeded").path("startedAt").asString()));
    }
    for (int i = 12; i < starts.size(); i++) {
      assertThat(Duration.between(starts.get(i - 12), starts.get(i)))
          .isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }
    assertThat(
            put("/v1/queues/" + queue, "{\"rateLimit\": null}").json().path("rateLimit").isNull())
        .isTrue();
  }

  @Test
  void aPurgeCancelsWhatWaitsAndLeavesWhatRuns() throws IOException {
    put("/v1/queues/" + queue, "{\"concurrency\": 1}");
    String running = submit(LONG);
    await(running, "running");
    List<String> waiting = List.of(submit(NOOP), submit(LATER), submit(NOOP));
    assertDone(send("POST", path("purge")), 3, 3);
    for (String id : waiting) {
      assertThat(job(id).path("state").asString()).isEqualTo("cancelled");
    }
    assertThat(job(running).path("state").asString()).isEqualTo("running");
    assertThat(queue().path("depth").path("total").asInt()).isZero();
    send("POST", "/v1/jobs/" + running + "/cancel");
  }

  @Test
  void aPurgeTakesNoBodyThatLooksLikeABound() throws IOException {
    String id = submit(LATER);
    Answer answer = post(path("purge"), "{\"dryRun\": true}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(job(id).path("state").asString()).isEqualTo("scheduled");
    send("POST", path("purge"));
  }

  @Test
  void whatWasChangedBeforeAFailureIsTold() throws IOException {
    String oldest = submit(LATER);
    post(
        jobsOfTheQueue() + "/batch",
        "{\"jobs\": [" + String.join(",", Collections.nCopies(500, LATER)) + "]}");
    jdbc.sql(
            """
            create function refuse() returns trigger language plpgsql as
            $$ begin if new.id = '%s' then raise 'refused'; end if; return new; end $$;
            create trigger refuse before insert on finished for each row execute function refuse();
            """
                .formatted(oldest))
        .update();
    try {
      Answer answer = post(path("jobs/cancel"), "{}");
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.json().path("changed").asInt()).isEqualTo(500);
      assertThat(answer.json().path("more").asBoolean()).isTrue();
      assertThat(get("/v1/audit?queue=" + queue).json().path("items").path(0).path("outcome"))
          .isEqualTo(answer.json());
    } finally {
      jdbc.sql("drop function refuse cascade").update();
    }
    assertDone(post(path("jobs/cancel"), "{}"), 1, 1);
  }

  @Test
  void whatIsSentBackForATenantOverItsShareIsToldSo() throws IOException {
    String dead = submit(DEAD.replace("}}", "}, \"tenant\": \"a\"}"));
    await(dead, "failed");
    put("/v1/queues/" + queue, "{\"cap\": 10}");
    for (int i = 0; i < 8; i++) {
      submit(LATER.replace("}", ", \"tenant\": \"a\"}"));
    }
    submit(LATER.replace("}", ", \"tenant\": \"b\"}"));
    for (Answer refused :
        List.of(send("POST", "/v1/jobs/" + dead + "/retry"), post(path("jobs/retry"), "{}"))) {
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.problem()).isEqualTo("tenant-over-share");
    }
    send("POST", path("purge"));
  }

  @Test
  void manyAreCancelledByAFilterAfterADryRun() throws IOException {
    put("/v1/queues/" + queue, "{\"concurrency\": 1}");
    String running = submit(LONG.replace("}}", "}, \"labels\": {\"order\": \"17\"}}"));
    await(running, "running");
    String ours = submit(LATER.replace("}", ", \"labels\": {\"order\": \"17\"}}"));
    String theirs = submit(LATER.replace("}", ", \"labels\": {\"order\": \"18\"}}"));
    String filter = "{\"labels\": {\"order\": \"17\"}";
    assertDone(post(path("jobs/cancel"), filter + ", \"dryRun\": true}"), 2, 0);
    assertThat(job(ours).path("state").asString()).isEqualTo("scheduled");
    assertDone(post(path("jobs/cancel"), filter + ", \"state\": \"scheduled\"}"), 1, 1);
    assertThat(job(ours).path("state").asString()).isEqualTo("cancelled");
    assertDone(post(path("jobs/cancel"), filter + "}"), 1, 1);
    await(running, "cancelled");
    assertThat(job(theirs).path("state").asString()).isEqualTo("scheduled");
    String past = "{\"submittedBefore\": \"2020-01-01T00:00:00Z\"}";
    assertDone(post(path("jobs/cancel"), past), 0, 0);
    assertDone(post(path("jobs/cancel"), "{}"), 1, 1);
  }

  @Test
  void deadLettersAreSentBackOneAfterTheOther() throws IOException {
    List<String> dead = List.of(submit(DEAD), submit(DEAD), submit(DEAD));
    for (String id : dead) {
      await(id, "failed");
    }
    assertDone(post(path("jobs/retry"), "{\"dryRun\": true}"), 3, 0);
    assertDone(post(path("jobs/retry"), "{\"type\": \"demo.noop\"}"), 0, 0);
    Instant begin = Instant.now();
    assertDone(post(path("jobs/retry"), "{\"perSecond\": 2}"), 3, 3);
    List<Instant> starts = new ArrayList<>();
    for (String id : dead) {
      starts.add(Instant.parse(job(id).path("runAt").asString()));
    }
    starts.sort(null);
    assertThat(Duration.between(starts.get(0), starts.get(1))).isEqualTo(Duration.ofMillis(500));
    assertThat(Duration.between(starts.get(1), starts.get(2))).isEqualTo(Duration.ofMillis(500));
    assertThat(starts.getFirst()).isAfter(begin.minusMillis(100));
    for (String id : dead) {
      await(id, "succeeded");
    }
  }

  @Test
  void whatHasNoRoomIsNotSentBackAndTheAnswerSaysWhenToGoOn() throws IOException {
    List<String> dead = List.of(submit(DEAD), submit(DEAD), submit(DEAD));
    for (String id : dead) {
      await(id, "failed");
    }
    put("/v1/queues/" + queue, "{\"cap\": 2}");
    send("POST", path("pause"));
    Answer some = post(path("jobs/retry"), "{}");
    assertThat(some.status()).isEqualTo(200);
    assertThat(some.json().path("changed").asInt()).isEqualTo(2);
    assertThat(some.json().path("more").asBoolean()).isTrue();
    assertThat(Integer.parseInt(some.header("Retry-After"))).isBetween(1, 300);
    Answer none = post(path("jobs/retry"), "{}");
    assertThat(none.status()).isEqualTo(503);
    assertThat(none.problem()).isEqualTo("queue-full");
    assertThat(queue().path("depth").path("total").asInt()).isEqualTo(2);
    send("POST", path("purge"));
  }

  @Test
  void onlyAnEmptyQueueIsDeleted() throws IOException {
    assertThat(send("DELETE", "/v1/queues/" + queue).problem()).isEqualTo("queue-not-found");
    String id = submit(LATER);
    assertThat(send("DELETE", "/v1/queues/" + queue).problem()).isEqualTo("queue-not-empty");
    send("POST", "/v1/jobs/" + id + "/cancel");
    assertThat(send("DELETE", "/v1/queues/" + queue).status()).isEqualTo(204);
    assertThat(get("/v1/queues/" + queue).problem()).isEqualTo("queue-not-found");
    assertThat(job(id).path("state").asString()).as("history stays").isEqualTo("cancelled");
    await(submit(NOOP), "succeeded");
  }

  @Test
  void aQueueThatAnotherNodeDeletedIsGoneHere() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 5}");
    jdbc.sql("delete from queue where name = ?").param(queue).update();
    Awaitility.await().atMost(SOON).until(() -> get("/v1/queues/" + queue).status() == 404);
    put("/v1/queues/" + queue, "{}");
    assertThat(queue().path("cap").asInt()).isEqualTo(10_000);
  }

  @Test
  void eachChangeLeavesALineThatSaysWhatCameOfIt() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 7}");
    submit(LATER);
    send("POST", path("pause"));
    post(path("jobs/cancel"), "{\"dryRun\": true}");
    post(path("jobs/cancel"), "{\"state\": \"scheduled\"}");
    submit(LATER);
    send("DELETE", "/v1/queues/" + queue);
    JsonNode lines = get("/v1/audit?queue=" + queue).json().path("items");
    List<String> told = new ArrayList<>();
    lines.forEach(
        line ->
            told.add(line.path("action").asString() + line.path("request") + line.path("outcome")));
    assertThat(told)
        .containsExactly(
            "queue.deletenull{\"deleted\":false}",
            "jobs.cancel{\"state\":\"scheduled\"}"
                + "{\"dryRun\":false,\"matched\":1,\"changed\":1,\"more\":false}",
            "queue.pausenull{}",
            "queue.set{\"cap\":7}{}");
    assertThat(lines.path(0).path("client").asString()).isEqualTo("127.0.0.1");
    JsonNode page = get("/v1/audit?limit=1&queue=" + queue).json();
    JsonNode rest =
        get("/v1/audit?queue=" + queue + "&cursor=" + page.path("nextCursor").asString()).json();
    assertThat(rest.path("items")).hasSize(3);
    send("POST", path("purge"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          jobs/cancel | {"state": "failed"}                            | /state
          jobs/cancel | {"perSecond": 1}                               | /perSecond
          jobs/cancel | {"lables": {}}                                 | /lables
          jobs/retry  | {"state": "running"}                           | /state
          jobs/retry  | {"perSecond": 0}                               | /perSecond
          jobs/retry  | {"submittedBefore": "yesterday"}               | /submittedBefore
          jobs/retry  | {"type": "No"}                                 | /type
          """)
  void aFilterThatMeansNothingIsNamed(String verb, String body, String pointer) throws IOException {
    put("/v1/queues/" + queue, "{}");
    Answer answer = post(path(verb), body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().path("errors").path(0).path("pointer").asString()).isEqualTo(pointer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"rateLimit": {"starts": 0, "per": "PT1S"}}   | /rateLimit/starts
          {"rateLimit": {"starts": 1}}                  | /rateLimit/per
          {"rateLimit": {"starts": 1, "per": "PT0.5S"}} | /rateLimit/per
          {"rateLimit": 5}                              | /rateLimit
          {"retention": "P4000D"}                       | /retention
          {"paused": true}                              | /paused
          """)
  void aSettingOutOfItsBoundsIsNamed(String body, String pointer) throws IOException {
    Answer answer = put("/v1/queues/" + queue, body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().path("errors").path(0).path("pointer").asString()).isEqualTo(pointer);
  }
}
