package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.RawHttp;
import dev.millpond.testing.SharedMillpond;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Bad input: a problem document that names the field, never a 5xx, and nothing left behind. */
@Timeout(120)
@ExtendWith(SharedMillpond.class)
class BadInputE2E {

  private static final String QUEUE = "bad-input";
  private static final String SUBMIT = "/v1/queues/" + QUEUE + "/jobs";

  private static String newestJob;
  private static String queues;

  @BeforeAll
  static void remember(ApiClient api) throws IOException {
    assertThat(api.put("/v1/queues/" + QUEUE, "{\"cap\": 1000}").status()).isEqualTo(201);
    // So that a list has something to look at.
    api.submit("good-input", "{\"type\": \"demo.noop\", \"labels\": {\"a\": \"b\"}}");
    api.awaitDrained("good-input", Duration.ofSeconds(20));
    newestJob = newestJob(api);
    queues = queueNames(api).toString();
  }

  @AfterAll
  static void assertNothingLeftBehind(ApiClient api) throws IOException {
    assertThat(api.jobs("queue=" + QUEUE)).isEmpty();
    assertThat(newestJob(api)).isEqualTo(newestJob);
    assertThat(queueNames(api)).hasToString(queues);
    JsonNode queue = api.get("/v1/queues/" + QUEUE).json();
    assertThat(queue.path("depth").path("total").asInt()).isZero();
    assertThat(queue.path("cap").asInt()).isEqualTo(1_000);
  }

  private static String newestJob(ApiClient api) throws IOException {
    return api.get("/v1/jobs?limit=1").json().path("items").toString();
  }

  private static List<String> queueNames(ApiClient api) throws IOException {
    List<String> names = new ArrayList<>();
    api.get("/v1/queues?limit=500")
        .json()
        .path("items")
        .forEach(
            queue -> names.add(queue.path("queue").asString() + queue.path("name").asString()));
    return names;
  }

  static Stream<BadJob> badJobs() {
    return BadJob.all().stream();
  }

  @ParameterizedTest
  @MethodSource("badJobs")
  void aBadJobIsRefused(BadJob job, ApiClient api) throws IOException {
    assertRefused(api.post(SUBMIT, job.body()), job.status(), job.pointer());
  }

  @ParameterizedTest
  @MethodSource("badJobs")
  void aBadJobSpoilsItsBatch(BadJob job, ApiClient api) throws IOException {
    String batch =
        "{\"jobs\": [{\"type\": \"demo.noop\"}, {\"type\": \"demo.noop\"}, " + job.body() + "]}";
    String pointer = job.pointer().startsWith("/") ? "/jobs/2" + job.pointer() : job.pointer();
    assertRefused(api.post(SUBMIT + "/batch", batch), job.status(), pointer);
  }

  static Stream<BadRequest> badRequests() {
    return BadRequest.all(QUEUE).stream();
  }

  @ParameterizedTest
  @MethodSource("badRequests")
  void aBadRequestIsRefused(BadRequest request, ApiClient api) throws IOException {
    Answer answer =
        api.send(
            request.method(),
            request.path(),
            BodyPublishers.ofString(request.body(), StandardCharsets.ISO_8859_1),
            request.headers().toArray(String[]::new));
    assertRefused(answer, request.status(), request.names());
  }

  private static void assertRefused(Answer answer, int status, String names) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.header("Content-Type"))
        .as(answer.body())
        .startsWith("application/problem+json");
    JsonNode problem = answer.json();
    assertThat(problem.path("type").asString()).as(answer.body()).startsWith("/problems/");
    assertThat(problem.path("title").asString()).isNotBlank();
    assertThat(problem.path("status").asInt()).isEqualTo(status);
    if (names.startsWith("/")) {
      List<String> pointers = new ArrayList<>();
      problem.path("errors").forEach(error -> pointers.add(error.path("pointer").asString()));
      assertThat(pointers).as(answer.body()).anyMatch(pointer -> pointer.startsWith(names));
    } else {
      assertThat(answer.body()).contains(names);
    }
    assertThat(answer.body())
        .doesNotContain(
            "Exception", "org.spring", "tools.jackson", "java.", "org.postgresql", "\tat ")
        .doesNotContainIgnoringCase("insert into", "select ");
  }

  /** What no client library would send: the connector, not the application, meets it first. */
  static Stream<String> brokenHttp() {
    String end = "Host: 127.0.0.1\r\nConnection: close\r\n\r\n";
    return Stream.of(
        "GET /v1/jobs/%zz HTTP/1.1\r\n" + end,
        "GET /v1/jobs?label=%ff%fe HTTP/1.1\r\n" + end,
        "GET /v1/queues/a%00b HTTP/1.1\r\n" + end,
        "GET /v1/queues/a%2fb HTTP/1.1\r\n" + end,
        "GET /v1/queues/..%2f..%2fetc HTTP/1.1\r\n" + end,
        "GET /v1/jobs;x=y/1 HTTP/1.1\r\n" + end,
        "GET /v1/jobs?state=<a> HTTP/1.1\r\n" + end,
        "GET /v1/jobs\\..\\x HTTP/1.1\r\n" + end,
        "BREW /v1/jobs HTTP/1.1\r\n" + end,
        "GET /v1/jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET /v1/jobs HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /v1/jobs HTTP/1.1\r\nBig: " + "x".repeat(70_000) + "\r\n" + end,
        "POST "
            + SUBMIT
            + " HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: -1\r\n"
            + end,
        "POST "
            + SUBMIT
            + " HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n"
            + end,
        "POST "
            + SUBMIT
            + " HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            + end
            + "zz\r\n");
  }

  @ParameterizedTest
  @MethodSource("brokenHttp")
  void brokenHttpIsTheClientsFault(String request, MillpondProcess service) throws IOException {
    String answer = RawHttp.exchange(service.port(), request);
    assertThat(RawHttp.status(answer))
        .as("%s\n%s", request.lines().findFirst(), answer)
        .isBetween(400, 499);
    assertThat(answer).doesNotContain("Exception", "org.apache", "\tat ");
  }

  @Test
  void anUnknownHostOrAForeignOriginIsTurnedAway(ApiClient api, MillpondProcess service)
      throws IOException {
    String rebound =
        RawHttp.exchange(
            service.port(),
            "GET /v1/jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assertThat(RawHttp.status(rebound)).as(rebound).isEqualTo(421);
    Answer foreign =
        api.post(SUBMIT, "{\"type\": \"demo.noop\"}", "Origin", "https://evil.example");
    assertThat(foreign.status()).as(foreign.body()).isEqualTo(403);
  }
}
