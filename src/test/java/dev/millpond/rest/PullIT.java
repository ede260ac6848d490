package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** Workers over HTTP: what they may say, and what comes of it. */
class PullIT extends WholeApi {

  private static final String RESIZE = "{\"type\": \"resize\", \"payload\": {\"image\": 17}}";
  private static final String NO_TOKEN = "00000000-0000-4000-8000-000000000000";

  /** Well below the wait that is asked for. */
  private static final Duration AT_ONCE = Duration.ofSeconds(10);

  @Autowired private JdbcClient jdbc;
  @Autowired private MeterRegistry meters;

  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void endClients() {
    clients.shutdownNow();
  }

  private void workers(String kind) throws IOException {
    Answer answer = put("/v1/queues/" + queue, "{\"workers\": \"" + kind + "\"}");
    assertThat(answer.json().path("workers").asString()).isEqualTo(kind);
  }

  private Answer claim(String rest, String... headers) throws IOException {
    return post("/v1/queues/" + queue + "/claims", "{\"worker\": \"w1\"" + rest + "}", headers);
  }

  /** Claims the one job that there must be. */
  private JsonNode claimOne() throws IOException {
    Answer answer = claim("");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.json().path("jobs").size()).as(answer.body()).isEqualTo(1);
    return answer.json().path("jobs").path(0);
  }

  private static String token(JsonNode job) {
    return job.path("lease").path("token").asString();
  }

  private static String id(JsonNode job) {
    return job.path("id").asString();
  }

  private Answer say(String verb, String id, String token, String rest) throws IOException {
    return post("/v1/jobs/" + id + "/" + verb, "{\"token\": \"" + token + "\"" + rest + "}");
  }

  private Answer say(String verb, JsonNode job) throws IOException {
    String rest = verb.equals("fail") ? ", \"error\": {\"message\": \"broken\"}" : "";
    return say(verb, id(job), token(job), rest);
  }

  private static void assertState(Answer answer, String state) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.json().path("state").asString()).isEqualTo(state);
  }

  @Test
  void aPullWorkerClaimsAJobAndItsResultIsKept() throws IOException {
    workers("pull");
    String id = submit(RESIZE);
    assertThat(get("/v1/jobs/" + id).json().path("reason").asString()).isEqualTo("worker");
    JsonNode job = claimOne();
    assertThat(id(job)).isEqualTo(id);
    assertThat(job.path("state").asString()).isEqualTo("running");
    assertThat(job.path("attempt").asInt()).isEqualTo(1);
    assertThat(job.path("payload").toString()).isEqualTo("{\"image\":17}");
    assertThat(job.path("attempts").path(0).path("worker").asString()).isEqualTo("w1");
    assertThat(Instant.parse(job.path("lease").path("expiresAt").asString()))
        .isAfter(Instant.parse(job.path("startedAt").asString()));
    assertState(
        say("complete", id, token(job), ", \"result\": {\"bytes\": [1, 2.5]}"), "succeeded");
    JsonNode done = get("/v1/jobs/" + id).json();
    assertThat(done.path("state").asString()).isEqualTo("succeeded");
    assertThat(done.path("result").toString()).isEqualTo("{\"bytes\":[1,2.5]}");
    assertThat(done.has("lease")).as("the token is the worker's alone").isFalse();
    assertThat(claim("").json().path("jobs").size()).as("no more work").isZero();
  }

  @Test
  void aQueueHasTheWorkersOfTheServiceUnlessItSaysOtherwise() throws IOException {
    assertThat(claim("").problem()).isEqualTo("queue-not-found");
    submit(NOOP);
    Answer refused = claim("");
    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.problem()).isEqualTo("no-pull-workers");
    workers("pull");
    assertThat(claim("").status()).isEqualTo(200);
    assertThat(put("/v1/queues/" + queue, "{\"cap\": 5}").json().path("workers").asString())
        .as("kept")
        .isEqualTo("pull");
    Answer reset = put("/v1/queues/" + queue, "{\"workers\": null}");
    assertThat(reset.json().path("workers").asString()).isEqualTo("service");
    assertThat(claim("").problem()).isEqualTo("no-pull-workers");
    Answer wrong = put("/v1/queues/" + queue, "{\"workers\": \"mine\"}");
    assertThat(wrong.status()).isEqualTo(400);
    assertThat(pointers(wrong)).containsExactly("/workers");
  }

  @Test
  void whatAnotherNodeSetsIsInForceHereSoon() throws IOException {
    put("/v1/queues/" + queue, "{}");
    jdbc.sql("update queue set workers = 'pull', updated_at = now() where name = :queue")
        .param("queue", queue)
        .update();
    Awaitility.await().atMost(SOON).until(() -> claim("").status() == 200);
  }

  @Test
  void theServiceLeavesAPullQueueAlone() throws IOException {
    workers("pull");
    String waits = submit(NOOP);
    String other = queue;
    queue = other + "-service";
    await(submit(NOOP), "succeeded");
    queue = other;
    assertThat(get("/v1/jobs/" + waits).json().path("state").asString()).isEqualTo("queued");
    workers("service");
    await(waits, "succeeded");
  }

  @Test
  void onAQueueOfBothEachClaimsWhatItMay() throws IOException {
    workers("both");
    List<String> images = new ArrayList<>();
    for (int n = 0; n < 30; n++) {
      images.add(submit(RESIZE));
    }
    await(submit(NOOP), "succeeded");
    assertThat(api.jobs("queue=" + queue + "&state=queued")).hasSize(30);
    Answer claimed = claim(", \"max\": 100");
    assertThat(ids(claimed.json().path("jobs"))).isEqualTo(images);
    for (JsonNode job : claimed.json().path("jobs")) {
      assertState(say("complete", job), "succeeded");
    }
  }

  @Test
  void aTypeThatNobodyHereHandlesIsForPullWorkersOnly() throws IOException {
    assertThat(post(jobsOfTheQueue(), RESIZE).problem()).isEqualTo("unknown-type");
    for (String kind : List.of("pull", "both")) {
      workers(kind);
      assertThat(post(jobsOfTheQueue(), RESIZE).status()).isEqualTo(202);
      assertThat(post(jobsOfTheQueue() + "/batch", "{\"jobs\": [" + RESIZE + "]}").status())
          .isEqualTo(202);
      Answer bad = post(jobsOfTheQueue(), "{\"type\": \"demo.sleep\", \"payload\": {}}");
      assertThat(bad.status()).as("a handler's payload is checked").isEqualTo(400);
    }
  }

  @Test
  void onlyTheTypesAskedForAreClaimedInOrder() throws IOException {
    workers("pull");
    submit("{\"type\": \"a\"}");
    String b = submit("{\"type\": \"b\"}");
    String c = submit("{\"type\": \"c\"}");
    String urgent = submit("{\"type\": \"b\", \"priority\": 9}");
    Answer answer = claim(", \"max\": 3, \"types\": [\"c\", \"b\", \"d\"]");
    assertThat(ids(answer.json().path("jobs"))).containsExactly(urgent, b, c);
    assertThat(claim(", \"types\": [\"d\"]").json().path("jobs").size()).isZero();
    assertThat(ids(claim("").json().path("jobs"))).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}                                                 | /worker",
        "{\"worker\": 1}                                    | /worker",
        "{\"worker\": \" \"}                                | /worker",
        "{\"worker\": \"w\", \"max\": 0}                    | /max",
        "{\"worker\": \"w\", \"max\": 101}                  | /max",
        "{\"worker\": \"w\", \"max\": \"1\"}                | /max",
        "{\"worker\": \"w\", \"lease\": \"PT0.9S\"}         | /lease",
        "{\"worker\": \"w\", \"lease\": \"PT1H0.1S\"}       | /lease",
        "{\"worker\": \"w\", \"lease\": 30}                 | /lease",
        "{\"worker\": \"w\", \"types\": []}                 | /types",
        "{\"worker\": \"w\", \"types\": \"a\"}              | /types",
        "{\"worker\": \"w\", \"types\": [\"a\", \"A\"]}     | /types/1",
        "{\"worker\": \"w\", \"queue\": \"q\"}              | /queue",
        "{\"worker\": \"w\", \"wait\": 1}                   | /wait",
        "[]                                                 | ''",
      })
  void aBadClaimIsNamed(String body, String pointer) throws IOException {
    workers("pull");
    Answer answer = post("/v1/queues/" + queue + "/claims", body);
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(pointers(answer)).containsExactly(pointer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "heartbeat | {}                                                         | /token",
        "heartbeat | {\"token\": \"x\"}                                         | /token",
        "heartbeat | {\"token\": TOKEN, \"progress\": {\"percent\": 101}}       |"
            + " /progress/percent",
        "heartbeat | {\"token\": TOKEN, \"progress\": {\"message\": \"a\"}}     |"
            + " /progress/percent",
        "heartbeat | {\"token\": TOKEN, \"progress\": 5}                        | /progress",
        "heartbeat | {\"token\": TOKEN, \"log\": \"a\"}                         | /log",
        "heartbeat | {\"token\": TOKEN, \"log\": [1]}                           | /log/0",
        "heartbeat | {\"token\": TOKEN, \"lease\": \"PT2H\"}                    | /lease",
        "heartbeat | {\"token\": TOKEN, \"result\": 1}                          | /result",
        "complete  | {\"result\": 1}                                            | /token",
        "complete  | {\"token\": TOKEN, \"error\": {}}                          | /error",
        "fail      | {\"token\": TOKEN}                                         | /error",
        "fail      | {\"token\": TOKEN, \"error\": \"no\"}                      | /error",
        "fail      | {\"token\": TOKEN, \"error\": {}}                          | /error/message",
        "fail      | {\"token\": TOKEN, \"error\": {\"message\": \"m\", \"type\": \"A b\"}} |"
            + " /error/type",
        "fail      | {\"token\": TOKEN, \"error\": {\"message\": \"m\"}, \"retryable\": 1}  |"
            + " /retryable",
        "fail      | {\"token\": TOKEN, \"error\": {\"message\": \"m\"}, \"retryIn\": \"P366D\"} |"
            + " /retryIn",
        "fail      | {\"token\": TOKEN, \"error\": {\"message\": \"m\"}, \"retryable\": false,"
            + " \"retryIn\": \"PT1S\"} | /retryIn",
        "release   | {\"token\": null}                                          | /token",
        "release   | {\"token\": TOKEN, \"delay\": \"PT-1S\"}                   | /delay",
        "release   | {\"token\": TOKEN, \"error\": {}}                          | /error",
      })
  void aBadWordIsNamedAndChangesNothing(String verb, String body, String pointer)
      throws IOException {
    workers("pull");
    submit(RESIZE);
    JsonNode job = claimOne();
    Answer answer =
        post("/v1/jobs/" + id(job) + "/" + verb, body.replace("TOKEN", "\"" + token(job) + "\""));
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(pointers(answer)).containsExactly(pointer);
    assertThat(get("/v1/jobs/" + id(job)).json().path("version")).isEqualTo(job.path("version"));
  }

  private static List<String> pointers(Answer answer) {
    List<String> pointers = new ArrayList<>();
    answer.json().path("errors").forEach(bad -> pointers.add(bad.path("pointer").asString()));
    return pointers;
  }

  @Test
  void aResultThatIsTooLargeIsRefusedAndTheLeaseStays() throws IOException {
    workers("pull");
    submit(RESIZE);
    JsonNode job = claimOne();
    String large = ", \"result\": \"" + "x".repeat(256 * 1024) + "\"";
    Answer answer = say("complete", id(job), token(job), large);
    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.problem()).isEqualTo("payload-too-large");
    assertState(say("complete", job), "succeeded");
  }

  @ParameterizedTest
  @ValueSource(strings = {"heartbeat", "complete", "fail", "release"})
  void aStaleTokenChangesNothing(String verb) throws IOException {
    workers("pull");
    submit(RESIZE);
    JsonNode job = claimOne();
    // As if its lease had expired and another worker had claimed the job.
    UUID heir = UUID.randomUUID();
    jdbc.sql("update lease set token = :heir where id = :id")
        .param("heir", heir)
        .param("id", UUID.fromString(id(job)))
        .update();
    JsonNode before = get("/v1/jobs/" + id(job)).json();
    Answer lost = say(verb, job);
    assertThat(lost.status()).as(lost.body()).isEqualTo(409);
    assertThat(lost.problem()).isEqualTo("lease-lost");
    assertThat(lost.json().path("state").asString()).isEqualTo("running");
    assertThat(get("/v1/jobs/" + id(job)).json()).isEqualTo(before);
    assertState(say("complete", id(job), heir.toString(), ""), "succeeded");

    JsonNode after = get("/v1/jobs/" + id(job)).json();
    Answer late = say(verb, job);
    assertThat(late.problem()).isEqualTo("lease-lost");
    assertThat(late.json().path("state").asString()).isEqualTo("succeeded");
    assertThat(get("/v1/jobs/" + id(job)).json()).isEqualTo(after);
  }

  @Test
  void aJobThatIsNotThereIsNotFound() throws IOException {
    String nobody = "/v1/jobs/01a20fbd-420f-772c-86d6-c67d0b7e625c";
    String word = "{\"token\": \"" + NO_TOKEN + "\"}";
    assertThat(post(nobody + "/complete", word).problem()).isEqualTo("job-not-found");
    assertThat(post(nobody + "/heartbeat", word).problem()).isEqualTo("job-not-found");
    assertThat(post("/v1/jobs/nonsense/release", word).problem()).isEqualTo("job-not-found");
  }

  @Test
  void theSameEndSentTwiceIsAnsweredTwiceAndAnotherIsNot() throws IOException {
    workers("pull");
    submit(RESIZE);
    JsonNode done = claimOne();
    assertState(say("complete", done), "succeeded");
    JsonNode before = get("/v1/jobs/" + id(done)).json();
    assertState(say("complete", done), "succeeded");
    assertThat(say("fail", done).problem()).isEqualTo("lease-lost");
    assertThat(say("release", done).problem()).isEqualTo("lease-lost");
    assertThat(say("heartbeat", done).problem()).isEqualTo("lease-lost");
    assertThat(get("/v1/jobs/" + id(done)).json()).isEqualTo(before);
    assertThat(finished("succeeded")).as("counted once").isEqualTo(1);

    submit(
        "{\"type\": \"resize\", \"retry\": {\"initialDelay\": \"PT24H\", \"maxDelay\": \"P7D\"}}");
    JsonNode failed = claimOne();
    assertState(say("fail", failed), "retrying");
    assertState(say("fail", failed), "retrying");
    assertThat(say("complete", failed).problem()).isEqualTo("lease-lost");
    assertThat(get("/v1/queues/" + queue).json().path("depth").path("total").asInt()).isEqualTo(1);
  }

  private double finished(String state) {
    return meters
        .get("millpond.jobs.finished")
        .tags("queue", queue, "state", state)
        .counter()
        .count();
  }

  @Test
  void aFailureIsRetriedByTheSamePolicy() throws IOException {
    workers("pull");
    String retry = "{\"maxAttempts\": 2, \"initialDelay\": \"PT0S\"}";
    String id = submit("{\"type\": \"resize\", \"retry\": " + retry + "}");
    JsonNode first = claimOne();
    assertState(
        say(
            "fail",
            id,
            token(first),
            ", \"error\": {\"type\": \"no-space\", \"message\": \"full\"}"),
        "queued");
    JsonNode second = claimOne();
    assertThat(second.path("attempt").asInt()).isEqualTo(2);
    assertThat(second.path("attempts").path(0).path("error").path("type").asString())
        .isEqualTo("no-space");
    assertState(say("fail", second), "failed");
    JsonNode dead = get("/v1/jobs/" + id).json();
    assertThat(dead.path("error").toString())
        .isEqualTo("{\"type\":\"handler-failed\",\"message\":\"broken\"}");

    String later = submit(RESIZE);
    String wait = ", \"error\": {\"message\": \"busy\"}, \"retryIn\": \"PT1H\"";
    assertState(say("fail", later, token(claimOne()), wait), "retrying");
    assertThat(Instant.parse(get("/v1/jobs/" + later).json().path("runAt").asString()))
        .isAfter(Instant.parse(dead.path("finishedAt").asString()).plus(Duration.ofMinutes(59)));

    String never = submit(RESIZE);
    String unretryable = ", \"error\": {\"message\": \"no such image\"}, \"retryable\": false";
    assertState(say("fail", never, token(claimOne()), unretryable), "failed");
  }

  @WithoutStoreFaults("a release that is sent again has no lease any more")
  @Test
  void whatIsReleasedIsClaimedAgainAndTheAttemptDoesNotCount() throws IOException {
    workers("pull");
    String id = submit(RESIZE);
    String other = submit(RESIZE);
    JsonNode first = claimOne();
    assertThat(id(first)).isEqualTo(id);
    assertState(say("release", first), "queued");
    JsonNode again = claimOne();
    assertThat(id(again)).as("in its old place, before " + other).isEqualTo(id);
    assertThat(again.path("attempt").asInt()).isEqualTo(1);
    assertThat(token(again)).isNotEqualTo(token(first));
  }

  @WithoutStoreFaults("a release that is sent again has no lease any more")
  @Test
  void whatIsReleasedForLaterWaitsAndTheAttemptDoesNotCount() throws IOException {
    workers("pull");
    String id = submit(RESIZE);
    JsonNode first = claimOne();
    assertState(say("release", id, token(first), ", \"delay\": \"PT1H\""), "scheduled");
    JsonNode job = get("/v1/jobs/" + id).json();
    assertThat(job.path("attempt").asInt()).isZero();
    assertThat(Instant.parse(job.path("runAt").asString()))
        .isAfter(Instant.now().plus(Duration.ofMinutes(59)));
  }

  @Test
  void whileItIsAskedToCancelTheTokenStaysGood() throws IOException {
    workers("pull");
    for (String verb : List.of("complete", "fail", "release")) {
      String id = submit(RESIZE);
      JsonNode job = claimOne();
      assertThat(say("heartbeat", job).json().path("cancelRequested").asBoolean()).isFalse();
      assertThat(send("POST", "/v1/jobs/" + id + "/cancel").status()).isEqualTo(202);
      Answer told = say("heartbeat", job);
      assertThat(told.status()).isEqualTo(200);
      assertThat(told.json().path("cancelRequested").asBoolean()).isTrue();
      String end = verb.equals("complete") ? "succeeded" : "cancelled";
      assertState(say(verb, job), end);
      assertThat(get("/v1/jobs/" + id).json().path("state").asString()).isEqualTo(end);
    }
  }

  @Test
  void aHeartbeatRenewsForAsLongAsTheWorkerSaysAndNeverBeyondTheTimeout() throws IOException {
    workers("pull");
    submit("{\"type\": \"resize\", \"timeout\": \"PT10M\"}");
    JsonNode job = claim(", \"lease\": \"PT1M\"").json().path("jobs").path(0);
    Instant started = Instant.parse(job.path("startedAt").asString());
    assertThat(Instant.parse(job.path("lease").path("expiresAt").asString()))
        .isBetween(started.plusSeconds(59), started.plusSeconds(61));
    assertThat(renewed(job, ", \"lease\": \"PT5M\"")).isAfter(started.plusSeconds(299));
    assertThat(renewed(job, "")).as("as before").isAfter(started.plusSeconds(299));
    assertThat(renewed(job, ", \"lease\": \"PT1H\"")).isEqualTo(started.plusSeconds(600));
  }

  private Instant renewed(JsonNode job, String rest) throws IOException {
    Answer answer = say("heartbeat", id(job), token(job), rest);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return Instant.parse(answer.json().path("expiresAt").asString());
  }

  @WithoutStoreFaults("a heartbeat that is sent again tells once more")
  @Test
  void progressAndLogAreSeenAtOnceAndTheLogIsBounded() throws IOException {
    workers("pull");
    String id = submit(RESIZE);
    JsonNode job = claimOne();
    renewed(
        job,
        ", \"progress\": {\"percent\": 40, \"message\": \"2 of 5\"}, \"log\": [\"one\", \"two\"]");
    JsonNode seen = get("/v1/jobs/" + id).json();
    assertThat(seen.path("progress").path("percent").asInt()).isEqualTo(40);
    assertThat(seen.path("progress").path("message").asString()).isEqualTo("2 of 5");
    assertThat(seen.path("version").asInt()).isEqualTo(job.path("version").asInt() + 1);
    renewed(job, ", \"log\": [\"three\"]");
    assertThat(get("/v1/jobs/" + id).json().path("version")).isEqualTo(seen.path("version"));
    assertThat(lines(id)).containsExactly("one", "two", "three");
    renewed(job, ", \"log\": [" + "\"more\",".repeat(999) + "\"more\"]");
    assertThat(lines(id)).hasSize(1_000).last().isEqualTo("… further lines are dropped");
    renewed(job, ", \"log\": [\"too many\"]");
    assertThat(lines(id)).hasSize(1_000);
  }

  private List<String> lines(String id) throws IOException {
    List<String> lines = new ArrayList<>();
    get("/v1/jobs/" + id + "/log")
        .json()
        .path("lines")
        .forEach(line -> lines.add(line.path("line").asString()));
    return lines;
  }

  @WithoutStoreFaults("one of many may be told to come again")
  @Test
  void manyAreAnsweredOneByOneInTheOrderSent() throws IOException {
    workers("pull");
    for (int n = 0; n < 3; n++) {
      submit(RESIZE);
    }
    List<JsonNode> held = new ArrayList<>();
    claim(", \"max\": 3").json().path("jobs").forEach(held::add);
    String items =
        "[%s, {\"id\": \"%s\", \"token\": \"%s\"}, %s]"
            .formatted(item(held.get(2), ""), id(held.get(1)), NO_TOKEN, item(held.get(0), ""));
    Answer beats = post("/v1/leases/heartbeat", "{\"items\": " + items + "}");
    assertThat(beats.status()).isEqualTo(207);
    assertItems(beats, held, "200 409 200");
    assertThat(beats.json().path("items").path(0).path("expiresAt").isString()).isTrue();
    assertThat(beats.json().path("items").path(1).path("problem").path("type").asString())
        .isEqualTo("/problems/lease-lost");

    Answer completed = post("/v1/leases/complete", "{\"items\": " + items + "}");
    assertItems(completed, held, "200 409 200");
    assertThat(completed.json().has("jobs")).isFalse();
    assertItems(post("/v1/leases/complete", "{\"items\": " + items + "}"), held, "200 409 200");

    String error = ", \"error\": {\"message\": \"broken\"}, \"retryable\": false";
    String failures =
        "[%s, %s, {\"id\": \"01a20fbd-420f-772c-86d6-c67d0b7e625c\", \"token\": \"%s\"%s}]"
            .formatted(item(held.get(2), error), item(held.get(1), error), NO_TOKEN, error);
    Answer failed = post("/v1/leases/fail", "{\"items\": " + failures + "}");
    assertThat(statuses(failed)).isEqualTo("409 200 404");
    assertThat(failed.json().path("items").path(1).path("state").asString()).isEqualTo("failed");
  }

  private static String item(JsonNode job, String rest) {
    return "{\"id\": \"" + id(job) + "\", \"token\": \"" + token(job) + "\"" + rest + "}";
  }

  private static void assertItems(Answer answer, List<JsonNode> held, String statuses) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(207);
    assertThat(statuses(answer)).isEqualTo(statuses);
    assertThat(ids(answer.json().path("items")))
        .containsExactly(id(held.get(2)), id(held.get(1)), id(held.get(0)));
  }

  private static String statuses(Answer answer) {
    List<String> statuses = new ArrayList<>();
    answer.json().path("items").forEach(item -> statuses.add(item.path("status").toString()));
    return String.join(" ", statuses);
  }

  @WithoutStoreFaults("one of many may be told to come again")
  @Test
  void theNextJobsComeWithTheAnswerToTheCompletions() throws IOException {
    workers("pull");
    submit(RESIZE);
    String next = submit(RESIZE);
    String claim =
        "\"claim\": {\"queue\": \"%s\", \"worker\": \"w1\", \"max\": 5}".formatted(queue);
    String items = "{\"items\": [" + item(claimOne(), "") + "], " + claim + "}";
    Answer answer = post("/v1/leases/complete", items);
    assertThat(statuses(answer)).isEqualTo("200");
    assertThat(ids(answer.json().path("jobs"))).containsExactly(next);
    JsonNode second = answer.json().path("jobs").path(0);

    Future<Answer> waiting =
        waiting("/v1/leases/complete", "{\"items\": [" + item(second, "") + "], " + claim + "}");
    await(next, "succeeded");
    String third = submit(RESIZE);
    assertThat(waiting).succeedsWithin(AT_ONCE);
    assertThat(ids(waiting.resultNow().json().path("jobs"))).containsExactly(third);
  }

  @Test
  void whatIsWrongWithOneOfManyIsNamedAndNothingIsDone() throws IOException {
    workers("pull");
    submit(RESIZE);
    JsonNode job = claimOne();
    String good = item(job, "");
    assertBad("{}", "/items");
    assertBad("{\"items\": []}", "/items");
    assertBad(
        "{\"items\": [" + good + ", {\"token\": \"x\", \"id\": 1}]}",
        "/items/1/token",
        "/items/1/id");
    assertBad(
        "{\"items\": [" + good + "], \"claim\": {\"max\": 0}}",
        "/claim/max",
        "/claim/queue",
        "/claim/worker");
    assertBad("{\"items\": [" + good + "], \"claims\": {}}", "/claims");
    Answer service =
        post(
            "/v1/leases/complete",
            "{\"items\": [" + good + "], \"claim\": {\"queue\": \"none\", \"worker\": \"w\"}}");
    assertThat(service.problem()).isEqualTo("queue-not-found");
    Answer many =
        post("/v1/leases/complete", "{\"items\": [" + (good + ",").repeat(1_000) + good + "]}");
    assertThat(many.problem()).isEqualTo("batch-too-large");
    assertThat(get("/v1/jobs/" + id(job)).json().path("state").asString()).isEqualTo("running");
  }

  private void assertBad(String body, String... pointers) throws IOException {
    Answer answer = post("/v1/leases/complete", body);
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(pointers(answer)).containsExactly(pointers);
  }

  /** Sends a request that is to wait for work, and returns when it does. */
  private Future<Answer> waiting(String path, String body) {
    double before = waitingClaims();
    Future<Answer> answer = clients.submit(() -> api.post(path, body, "Prefer", "wait=60"));
    Awaitility.await().atMost(SOON).until(() -> waitingClaims() > before);
    return answer;
  }

  private Future<Answer> waitingClaim(String rest) {
    return waiting("/v1/queues/" + queue + "/claims", "{\"worker\": \"w1\"" + rest + "}");
  }

  private double waitingClaims() {
    return meters.get("millpond.claims.waiting").gauge().value();
  }

  private static List<String> within(Future<Answer> answer) {
    assertThat(answer).succeedsWithin(AT_ONCE);
    assertThat(answer.resultNow().header("Preference-Applied")).isEqualTo("wait=60");
    return ids(answer.resultNow().json().path("jobs"));
  }

  @Test
  void aClaimThatWaitsIsWokenByASubmit() throws IOException {
    workers("pull");
    Future<Answer> answer = waitingClaim("");
    String id = submit(RESIZE);
    assertThat(within(answer)).containsExactly(id);
  }

  @Test
  void aClaimThatWaitsFindsWhatBecomesDue() throws IOException {
    workers("pull");
    Future<Answer> answer = waitingClaim("");
    String id = submit("{\"type\": \"resize\", \"delay\": \"PT0.3S\"}");
    assertThat(within(answer)).containsExactly(id);
  }

  @Test
  void aHintIsPassedOnToThoseWhoWantIt() throws IOException {
    workers("pull");
    Future<Answer> wanted = waitingClaim(", \"types\": [\"resize\"]");
    Future<Answer> newer = waitingClaim(", \"types\": [\"other\"]");
    Future<Answer> newest = waitingClaim(", \"types\": [\"another\"]");
    String id = submit(RESIZE);
    assertThat(within(wanted)).containsExactly(id);
    assertThat(newer.isDone() || newest.isDone()).isFalse();
    String other = submit("{\"type\": \"other\"}");
    String another = submit("{\"type\": \"another\"}");
    assertThat(within(newer)).containsExactly(other);
    assertThat(within(newest)).containsExactly(another);
  }

  @Test
  void thoseWhoWaitHoldNoConnectionAndShareWhatComes() throws IOException {
    workers("pull");
    List<Future<Answer>> many = new ArrayList<>();
    for (int n = 0; n < 20; n++) {
      many.add(waitingClaim(", \"max\": 1"));
    }
    assertThat(get("/v1/queues/" + queue).status())
        .as("eight connections serve all")
        .isEqualTo(200);
    Set<String> submitted = new HashSet<>(api.submitAll(queue, Collections.nCopies(20, RESIZE)));
    Set<String> claimed = new HashSet<>();
    for (Future<Answer> answer : many) {
      claimed.addAll(within(answer));
    }
    assertThat(claimed).isEqualTo(submitted);
  }

  @Test
  void whenTheTimeIsOverTheAnswerIsEmpty() throws IOException {
    workers("pull");
    long sent = System.nanoTime();
    Answer answer = claim("", "Prefer", "wait=1");
    assertThat(Duration.ofNanos(System.nanoTime() - sent)).isGreaterThan(Duration.ofMillis(990));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Preference-Applied")).isEqualTo("wait=1");
    assertThat(answer.json().path("jobs").size()).isZero();
    assertThat(claim("").header("Preference-Applied")).isEmpty();
  }

  @WithoutStoreFaults("the job that fills a queue is refused when it is sent again")
  @Test
  void aClaimOverHttpMakesRoomAtOnceAndKeepsTheLimitOfTheQueue() throws IOException {
    put("/v1/queues/" + queue, "{\"workers\": \"pull\", \"cap\": 2, \"concurrency\": 1}");
    submit(RESIZE);
    submit(RESIZE);
    assertThat(post(jobsOfTheQueue(), RESIZE).problem()).isEqualTo("queue-full");
    JsonNode job = claim(", \"max\": 10").json().path("jobs").path(0);
    assertThat(claim("").json().path("jobs").size()).as("one at a time").isZero();
    JsonNode body = get("/v1/queues/" + queue).json();
    assertThat(body.path("depth").path("total").asInt()).isEqualTo(1);
    assertThat(body.path("running").asInt()).isEqualTo(1);
    assertThat(body.path("waited").path("p50").isString()).as("the start was noticed").isTrue();
    // The last tenth of a room is for those who were sent away before: their turn comes.
    Awaitility.await().atMost(SOON).until(() -> post(jobsOfTheQueue(), RESIZE).status() == 202);
    assertThat(post(jobsOfTheQueue(), RESIZE).problem()).isEqualTo("queue-full");
    Future<Answer> next = waitingClaim("");
    assertState(say("complete", job), "succeeded");
    assertThat(within(next)).hasSize(1);
  }
}
