package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.schedule.Cron;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Schedules over HTTP. */
class ScheduleIT extends WholeApi {

  private static final String YEARLY =
      "\"cron\": \"0 0 3 29 2 *\", \"timeZone\": \"Europe/Berlin\", \"job\": {\"type\":"
          + " \"demo.noop\"}";

  private String path() {
    return "/v1/schedules/" + queue;
  }

  @AfterEach
  void delete() throws IOException {
    send("DELETE", path());
  }

  private JsonNode set(String settings) throws IOException {
    Answer answer = put(path(), settings);
    assertThat(answer.status()).as(answer.body()).isIn(200, 201);
    return answer.json();
  }

  @WithoutStoreFaults("a PUT that is sent again creates nothing")
  @Test
  void itIsCreatedReadListedAndRemoved() throws IOException {
    assertThat(get(path()).problem()).isEqualTo("schedule-not-found");
    Answer created = put(path(), "{" + YEARLY + "}");
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.header("Location")).isEqualTo(path());
    assertThat(get(path()).json()).isEqualTo(created.json());
    assertThat(created.json().path("nextFirings"))
        .extracting(JsonNode::asString)
        .startsWith("2028-02-29T02:00:00Z", "2032-02-29T02:00:00Z")
        .hasSize(5);
    assertThat(put(path(), "{}").status()).isEqualTo(200);
    JsonNode listed =
        get("/v1/schedules?limit=500")
            .json()
            .path("items")
            .valueStream()
            .filter(item -> item.path("name").asString().equals(queue))
            .findFirst()
            .orElseThrow();
    assertThat(listed.has("firings")).isFalse();
    assertThat(listed.path("job").has("payload")).isFalse();
    assertThat(listed.path("nextFirings")).isEqualTo(created.json().path("nextFirings"));
    assertThat(send("DELETE", path()).status()).isEqualTo(204);
    assertThat(send("DELETE", path()).status()).isEqualTo(404);
    assertThat(get(path()).status()).isEqualTo(404);
  }

  @WithoutStoreFaults("each try leaves a line")
  @Test
  void eachChangeLeavesALineThatSaysWhoseItWas() throws IOException {
    String settings = "{" + YEARLY + ", \"queue\": \"" + queue + "\"}";
    set(settings);
    put(path(), "{\"misfire\": \"never\"}");
    send("POST", path() + "/trigger");
    send("DELETE", path());
    send("DELETE", path());
    assertThat(get("/v1/audit?queue=" + queue).json().path("items"))
        .extracting(
            line -> line.path("action").asString() + line.path("request") + line.path("outcome"))
        .containsExactly(
            "schedule.deletenull{\"deleted\":true}",
            "schedule.triggernull{\"accepted\":true}",
            "schedule.set" + JsonMapper.shared().readTree(settings) + "{\"set\":true}");
    assertThat(get("/v1/audit?queue=" + queue).json().path("items"))
        .allMatch(line -> line.path("schedule").asString().equals(queue));
  }

  @Test
  void aLargeRequestIsLeftOutOfItsLine() throws IOException {
    set(
        "{\"every\": \"P1D\", \"queue\": \"%s\", \"job\": {\"type\": \"demo.noop\", \"payload\": \"%s\"}}"
            .formatted(queue, "x".repeat(20_000)));
    JsonNode line = get("/v1/audit?queue=" + queue).json().path("items").path(0);
    assertThat(line.path("action").asString()).isEqualTo("schedule.set");
    assertThat(line.path("request").isNull()).isTrue();
  }

  @Test
  void itsJobsTellTheirEndToItsCallback() throws IOException {
    JsonNode set =
        set(
            "{\"every\": \"P1D\", \"job\": {\"type\": \"demo.noop\", \"callback\": {\"url\":"
                + " \"https://192.0.2.1/done\"}}}");
    assertThat(set.path("job").path("callback").path("url").asString())
        .isEqualTo("https://192.0.2.1/done");
    JsonNode job = send("POST", path() + "/trigger").json();
    assertThat(job.path("callback").path("url").asString()).isEqualTo("https://192.0.2.1/done");
  }

  @Test
  void whatIsLeftOutIsKeptAndNullResets() throws IOException {
    JsonNode first =
        set("{" + YEARLY + ", \"queue\": \"q\", \"misfire\": \"all\", \"overlap\": \"skip\"}");
    JsonNode paused = set("{\"paused\": true}");
    assertThat(paused.path("paused").asBoolean()).isTrue();
    assertThat(paused.path("nextFirings")).isEmpty();
    for (String kept : List.of("cron", "timeZone", "queue", "job", "misfire", "overlap")) {
      assertThat(paused.path(kept)).as(kept).isEqualTo(first.path(kept));
    }
    JsonNode reset =
        set(
            "{\"paused\": null, \"misfire\": null, \"overlap\": null, \"queue\": null,"
                + " \"timeZone\": null}");
    assertThat(reset.path("paused").asBoolean(true)).isFalse();
    assertThat(reset.path("misfire").asString()).isEqualTo("once");
    assertThat(reset.path("overlap").asString()).isEqualTo("allow");
    assertThat(reset.path("queue").asString()).isEqualTo("default");
    assertThat(reset.path("timeZone").asString()).isEqualTo("UTC");
    JsonNode every = set("{\"every\": \"P1D\"}");
    assertThat(every.path("cron").isNull()).isTrue();
    assertThat(every.path("timeZone").isNull()).isTrue();
    Instant next = Instant.parse(every.path("nextFirings").path(0).asString());
    // The same once more does not begin again.
    JsonNode again =
        set("{\"every\": \"P1D\", \"job\": {\"type\": \"demo.noop\", \"priority\": 7}}");
    assertThat(again.path("nextFirings").path(0).asString()).isEqualTo(next.toString());
    assertThat(again.path("job").path("priority").asInt()).isEqualTo(7);
    assertThat(set("{\"cron\": \"@daily\"}").path("every").isNull()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/cron     | never due     | \"cron\": \"0 0 0 31 2 *\"",
        "/cron     | six fields    | \"cron\": \"0 0 * * *\"",
        "/cron     | seconds       | \"cron\": \"0 0 * * *\"",
        "/cron     | go upwards    | \"cron\": \"0 50-10 * * * *\"",
        "/cron     | must be a     | \"cron\": 5",
        "/cron     | together with | \"cron\": \"@daily\", \"every\": \"PT1H\"",
        "/every    | where cron is | \"cron\": null",
        "/every    | PT1S to       | \"every\": \"PT0.5S\"",
        "/timeZone | Europe/Berlin | \"timeZone\": \"Europe/Berlim\"",
        "/timeZone | no time zone  | \"timeZone\": \"Mars/Olympus\"",
        "/timeZone | the name of   | \"timeZone\": \"+02:00\"",
        "/timeZone | is for cron   | \"every\": \"PT1H\", \"timeZone\": \"Europe/Berlin\"",
        "/queue    | must match    | \"queue\": \"No Queue\"",
        "/misfire  | one of skip   | \"misfire\": \"never\"",
        "/overlap  | one of allow  | \"overlap\": \"wait\"",
        "/paused   | true or false | \"paused\": \"yes\"",
        "/croon    | mean \"cron\" | \"croon\": \"@daily\"",
        "/job/delay       | no field here | \"job\": {\"type\": \"demo.noop\", \"delay\":"
            + " \"PT1S\"}",
        "/job/startBy     | no field here | \"job\": {\"type\": \"demo.noop\", \"startBy\":"
            + " \"2030-01-01T00:00:00Z\"}",
        "/job/type        | is required   | \"job\": {}",
        "/job/priority    | 0 to 9        | \"job\": {\"type\": \"demo.noop\", \"priority\": 10}",
        "/job/labels/dueAt | itself       | \"job\": {\"type\": \"demo.noop\", \"labels\":"
            + " {\"dueAt\": \"now\"}}",
        "/job/payload/upTo | must         | \"job\": {\"type\": \"demo.primes\", \"payload\":"
            + " {\"upTo\": -1}}",
      })
  void whatIsWrongIsNamed(String pointer, String detail, String settings) throws IOException {
    set("{" + YEARLY + "}");
    Answer answer = put(path(), "{" + settings + "}");
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    JsonNode error = answer.json().path("errors").path(0);
    assertThat(error.path("pointer").asString()).as(answer.body()).isEqualTo(pointer);
    assertThat(error.path("detail").asString()).contains(detail);
  }

  @WithoutStoreFaults("a PUT that is sent again creates nothing")
  @Test
  void aNewOneNeedsACalendarAndAJobThatCanRun() throws IOException {
    Answer nothing = put(path(), "{}");
    assertThat(nothing.json().path("errors"))
        .extracting(error -> error.path("pointer").asString())
        .containsExactly("/cron", "/job");
    String odd = "{\"every\": \"P1D\", \"queue\": \"%s\", \"job\": {\"type\": \"no.such\"}}";
    Answer unknown = put(path(), odd.formatted(queue));
    assertThat(unknown.problem()).isEqualTo("unknown-type");
    assertThat(unknown.json().path("errors").path(0).path("pointer").asString())
        .isEqualTo("/job/type");
    put("/v1/queues/" + queue, "{\"workers\": \"pull\"}");
    assertThat(put(path(), odd.formatted(queue)).status()).isEqualTo(201);
    // It can be paused, even if nobody could do the job any more.
    put("/v1/queues/" + queue, "{\"workers\": \"service\"}");
    assertThat(put(path(), "{\"paused\": true}").status()).isEqualTo(200);
    assertThat(put("/v1/schedules/No", "{}").problem()).isEqualTo("schedule-not-found");
  }

  @Test
  void aTriggerAnswersLikeASubmitAndIsRecordedOnce() throws IOException {
    set("{" + YEARLY + ", \"queue\": \"" + queue + "\", \"paused\": true}");
    Answer answer = post(path() + "/trigger", "", "Idempotency-Key", queue, "Prefer", "wait=20");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.header("RateLimit")).isNotEmpty();
    JsonNode job = answer.json();
    assertThat(job.path("state").asString()).isEqualTo("succeeded");
    assertThat(job.path("labels").path("schedule").asString()).isEqualTo(queue);
    assertThat(answer.header("Location")).isEqualTo("/v1/jobs/" + job.path("id").asString());
    Answer again = send("POST", path() + "/trigger", "Idempotency-Key", queue);
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    JsonNode firings = get(path()).json().path("firings");
    assertThat(firings).hasSize(1);
    assertThat(firings.path(0).path("triggered").asBoolean()).isTrue();
    assertThat(firings.path(0).path("jobId")).isEqualTo(job.path("id"));
    assertThat(firings.path(0).path("jobState").asString()).isEqualTo("succeeded");
    put("/v1/queues/" + queue, "{\"cap\": 0}");
    assertThat(send("POST", path() + "/trigger").status()).isIn(422, 503);
    assertThat(send("POST", "/v1/schedules/none/trigger").problem())
        .isEqualTo("schedule-not-found");
  }

  @Test
  void whatFiredIsToldWithItsJob() throws IOException {
    set("{\"every\": \"PT1S\", \"queue\": \"" + queue + "\", \"job\": {\"type\": \"demo.noop\"}}");
    Awaitility.await()
        .atMost(SOON)
        .until(
            () ->
                get(path())
                    .json()
                    .path("firings")
                    .valueStream()
                    .anyMatch(firing -> firing.path("jobState").asString("").equals("succeeded")));
    send("DELETE", path());
    List<JsonNode> jobs = new ArrayList<>(api.jobs("label=schedule:" + queue));
    assertThat(jobs)
        .isNotEmpty()
        .extracting(job -> job.path("labels").path("dueAt").asString())
        .doesNotHaveDuplicates();
    assertThat(api.metric("millpond_schedule_firings_total")).isPositive();
    assertThat(api.metric("millpond_schedule_lateness_seconds_max"))
        .isBetween(0.0, (double) Duration.ofSeconds(5).toSeconds());
  }

  @Test
  void aPageLeadsToTheNext() throws IOException {
    for (String name : List.of("a", "b", "c")) {
      put(path() + "-" + name, "{" + YEARLY + "}");
    }
    List<String> names = new ArrayList<>();
    String next = "/v1/schedules?limit=2";
    while (!next.isEmpty()) {
      Answer page = get(next);
      page.json().path("items").forEach(item -> names.add(item.path("name").asString()));
      assertThat(page.json().path("items").size()).isLessThanOrEqualTo(2);
      next = page.header("Link").replaceAll("<(.*)>.*", "$1");
    }
    assertThat(names)
        .isSorted()
        .doesNotHaveDuplicates()
        .contains(queue + "-a", queue + "-b", queue + "-c");
    for (String name : List.of("a", "b", "c")) {
      send("DELETE", path() + "-" + name);
    }
  }

  @Test
  void theDocumentHasTheFormOfACronExpression() {
    assertThat(
            described
                .document()
                .at("/components/schemas/ScheduleSettings/properties/cron/pattern")
                .asString())
        .isEqualTo(Cron.PATTERN);
  }
}
