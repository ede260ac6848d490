package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.admission.Streams;
import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.JobLines;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Jobs one a line, each answered by itself. */
@WithoutStoreFaults("most lines have no key to be sent again with")
class StreamIT extends WholeApi {

  private static final String NDJSON = "application/x-ndjson";

  private List<JsonNode> stream(String query, String lines, String... headers) throws IOException {
    Answer answer = answer(query, lines, headers);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).startsWith(NDJSON);
    assertThat(answer.header("RateLimit-Policy")).isNotEmpty();
    return answer.body().lines().<JsonNode>map(ApiClient.JSON::readTree).toList();
  }

  private Answer answer(String query, String lines, String... headers) throws IOException {
    List<String> all = new ArrayList<>(List.of(headers));
    all.addAll(List.of("Content-Type", NDJSON));
    return api.send(
        "POST",
        jobsOfTheQueue() + query,
        BodyPublishers.ofString(lines),
        all.toArray(String[]::new));
  }

  private static List<String> statuses(List<JsonNode> verdicts) {
    return verdicts.stream()
        .map(verdict -> verdict.path("line").asInt() + " " + verdict.path("status").asInt())
        .toList();
  }

  private static String pointer(JsonNode verdict) {
    return verdict.path("problem").path("errors").path(0).path("pointer").asString();
  }

  private int accepted() throws IOException {
    return api.jobs("queue=" + queue).size();
  }

  @Test
  void aBrokenLineGetsItsVerdictAndTheRestGoesOn() throws IOException {
    List<JsonNode> verdicts =
        stream(
            "",
            String.join(
                "\n",
                LATER,
                "",
                "{\"typ\": 1}\r",
                "no JSON",
                "{\"type\": \"no.such\"}",
                "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"long\"}}",
                "{\"type\": \"demo.noop\", \"payload\": \"" + "x".repeat(300_000) + "\"}",
                "{\"type\": \"demo.noop\", \"payload\": \"" + "x".repeat(3_000_000) + "\"}",
                "{\"type\": \"demo.noop\", \"idempotencyKey\": \"with space\"}",
                "{\"type\": \"demo.noop\", \"startBy\": \"2001-01-01T00:00:00Z\"}",
                " \t\r",
                LATER + "\r",
                LATER),
            "Millpond-Tenant",
            "acme");
    assertThat(statuses(verdicts))
        .containsExactly(
            "1 202", "3 400", "4 400", "5 400", "6 400", "7 413", "8 413", "9 400", "10 400",
            "12 202", "13 202");
    assertThat(pointer(verdicts.get(1))).isEqualTo("/typ");
    assertThat(verdicts.get(3).path("problem").path("type").asString())
        .isEqualTo("/problems/unknown-type");
    assertThat(pointer(verdicts.get(4))).isEqualTo("/payload/duration");
    assertThat(pointer(verdicts.get(7))).isEqualTo("/idempotencyKey");
    JsonNode job = api.job(verdicts.getFirst().path("id").asString());
    assertThat(job.path("tenant").asString()).isEqualTo("acme");
    assertThat(accepted()).isEqualTo(3);
  }

  @Test
  void aLineWithAKeyIsAcceptedOnce() throws IOException {
    String keyed = LATER.replace("}", ", \"idempotencyKey\": \"mine-" + queue + "\"}");
    List<JsonNode> first = stream("", keyed + "\n" + keyed + "\n" + LATER);
    List<JsonNode> again = stream("", keyed + "\n" + keyed.replace("1H", "2H"));
    assertThat(statuses(first)).containsExactly("1 202", "2 202", "3 202");
    assertThat(statuses(again)).containsExactly("1 202", "2 422");
    assertThat(Stream.of(first.getFirst(), first.get(1), again.getFirst()).map(v -> v.path("id")))
        .containsOnly(first.getFirst().path("id"));
    assertThat(accepted()).isEqualTo(2);
  }

  @Test
  void aLineMayHaveAUniqueKeyAndWaitForOthers() throws IOException {
    String unique = LATER.replace("}", ", \"unique\": {\"key\": \"u\"%s}}");
    List<JsonNode> verdicts =
        stream(
            "",
            String.join(
                "\n",
                unique.formatted(""),
                unique.formatted(", \"onConflict\": \"existing\""),
                unique.formatted(", \"onConflict\": \"reject\""),
                LATER.replace("}", ", \"ref\": \"a\"}"),
                "{\"type\": \"demo.noop\", \"dependsOn\":"
                    + " [\"01930000-0000-7000-8000-000000000000\"]}",
                "{\"type\": \"demo.noop\", \"dependsOn\": [\"" + submit(LATER) + "\"]}",
                LATER));
    assertThat(statuses(verdicts))
        .containsExactly("1 202", "2 200", "3 409", "4 400", "5 400", "6 202", "7 202");
    assertThat(verdicts.get(1).path("id")).isEqualTo(verdicts.getFirst().path("id"));
    assertThat(pointer(verdicts.get(4))).isEqualTo("/dependsOn/0");
    assertThat(api.job(verdicts.get(5).path("id").asString()).path("state").asString())
        .isEqualTo("blocked");
  }

  @Test
  void whoReadsOnlyAtTheEndIsToldOfFailures() throws IOException {
    String bad = "{\"type\": 1}\n";
    List<JsonNode> verdicts = stream("?verdicts=failures", LATER + "\n" + bad.repeat(1_100));
    assertThat(verdicts).hasSize(1_001);
    assertThat(verdicts.getFirst().path("line").asInt()).isEqualTo(2);
    assertThat(verdicts.getLast()).hasToString("{\"accepted\":1,\"rejected\":1100}");
  }

  @Test
  void whatIsWrongWithTheWholeStreamIsItsStatus() throws IOException {
    assertThat(answer("?verdict=all", NOOP).problem()).isEqualTo("unknown-filter");
    assertThat(answer("?verdicts=some", NOOP).problem()).isEqualTo("invalid-request");
    assertThat(answer("", NOOP, "Idempotency-Key", "one").problem())
        .isEqualTo("invalid-idempotency-key");
    assertThat(answer("", NOOP, "Content-Encoding", "gzip").problem())
        .isEqualTo("unsupported-media-type");
    assertThat(answer("", NOOP, "Millpond-Tenant", "?").problem()).isEqualTo("invalid-request");
    assertThat(answer("", NOOP, "Accept", "text/csv").status()).isEqualTo(406);
    assertThat(stream("", "\n\n")).isEmpty();
    assertThat(get("/v1/queues/" + queue).status()).isEqualTo(404);
  }

  @Test
  void eachLineIsAnsweredWhenItIsCommittedAndNotAtTheEnd() throws IOException {
    try (JobLines lines = JobLines.open(port, jobsOfTheQueue())) {
      for (int n = 1; n <= 3; n++) {
        lines.send(LATER);
        JsonNode verdict = lines.verdict();
        assertThat(verdict.path("line").asInt()).isEqualTo(n);
        assertThat(api.job(verdict.path("id").asString()).path("state").asString())
            .isEqualTo("scheduled");
      }
      lines.finish();
      assertThat(lines.verdicts()).isEmpty();
    }
  }

  @Test
  void aFullQueueHoldsTheLinesBackAndACutLeavesWhatWasAcknowledged() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 2}");
    try (JobLines lines = JobLines.open(port, jobsOfTheQueue())) {
      Collections.nCopies(5, LATER).forEach(lines::send);
      List<JsonNode> verdicts = List.of(lines.verdict(), lines.verdict());
      assertThat(statuses(verdicts)).containsExactly("1 202", "2 202");
      // Refused at the door, while the stream waits.
      assertThat(post(jobsOfTheQueue(), LATER).status()).isEqualTo(503);
      api.cancel(verdicts.getFirst().path("id").asString());
      assertThat(lines.verdict().path("line").asInt()).as("as soon as there is room").isEqualTo(3);
      assertThat(lines.verdict()).as("after ten seconds").hasToString("{\"waiting\":true}");
      assertThat(api.metric("millpond_streams_waiting")).isEqualTo(1);
      lines.cut();
    }
    Awaitility.await("the cut is seen")
        .atMost(SOON)
        .until(() -> api.metric("millpond_streams") == 0);
    put("/v1/queues/" + queue, "{\"cap\": 10}");
    submit(LATER);
    assertThat(accepted()).as("three by the stream and one more").isEqualTo(4);
  }

  @Test
  void aLineThatIsCutIsNone() throws IOException {
    try (JobLines lines = JobLines.open(port, jobsOfTheQueue())) {
      lines.send(LATER);
      assertThat(lines.verdict().path("status").asInt()).isEqualTo(202);
      lines.sendRaw(LATER);
      lines.cut();
    }
    Awaitility.await("the cut is seen")
        .atMost(SOON)
        .until(() -> api.metric("millpond_streams") == 0);
    assertThat(accepted()).isEqualTo(1);
  }

  @Test
  void thousandsOfLinesPassAQueueThatHoldsFewAndRefuseNobody() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 100}");
    double refused = api.metric("millpond_submits_refused_total");
    List<JsonNode> verdicts = stream("", (NOOP + "\n").repeat(2_000));
    assertThat(verdicts).hasSize(2_000).allMatch(verdict -> verdict.path("status").asInt() == 202);
    assertThat(api.metric("millpond_submits_refused_total")).isEqualTo(refused);
    api.awaitDrained(queue, SOON);
  }

  @Test
  void aStreamLeavesRoomToThoseWhoseTurnHasCome() throws Exception {
    put("/v1/queues/" + queue, "{\"cap\": 100, \"concurrency\": 1}");
    try (JobLines lines = JobLines.open(port, jobsOfTheQueue())) {
      Thread producer =
          Thread.ofVirtual()
              .start(
                  () ->
                      Collections.nCopies(
                              3_000,
                              "{\"type\": \"demo.sleep\", \"payload\": {\"duration\":"
                                  + " \"PT0.01S\"}}")
                          .forEach(lines::send));
      Awaitility.await("full")
          .atMost(SOON)
          .until(() -> post(jobsOfTheQueue(), NOOP).status() == 503);
      Awaitility.await("a single one gets in as well")
          .atMost(SOON)
          .until(() -> post(jobsOfTheQueue(), NOOP, "Idempotency-Key", "k").status() == 202);
      lines.cut();
      producer.join();
    }
    send("POST", "/v1/queues/" + queue + "/purge");
    api.awaitDrained(queue, SOON);
  }

  @Test
  void oneStreamTooManyIsRefused() throws IOException {
    List<JobLines> open = new ArrayList<>();
    try {
      for (int n = 0; n < Streams.MOST; n++) {
        JobLines lines = JobLines.open(port, jobsOfTheQueue());
        open.add(lines);
        lines.send(LATER);
        assertThat(lines.verdict().path("status").asInt()).isEqualTo(202);
      }
      assertThat(answer("", NOOP).problem()).isEqualTo("overloaded");
      open.removeFirst().cut();
      Awaitility.await("room for another")
          .atMost(SOON)
          .until(() -> answer("", NOOP).status() == 200);
    } finally {
      open.forEach(JobLines::cut);
    }
  }
}
