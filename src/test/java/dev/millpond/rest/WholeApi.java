package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.IntegrationTest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;
import tools.jackson.databind.JsonNode;

/**
 * The API of the whole service, one for all classes that extend this. Each test has a queue of its
 * own, and each answer is held against the OpenAPI document.
 */
@IntegrationTest
@Import(Held.class)
@Timeout(120)
abstract class WholeApi {

  static final Duration SOON = Duration.ofSeconds(20);
  static final String NOOP = "{\"type\": \"demo.noop\"}";
  static final String LATER = "{\"type\": \"demo.noop\", \"delay\": \"PT1H\"}";

  /** Longer than any test: it ends when it is cancelled. */
  static final String LONG = "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT1H\"}}";

  /** Ends when {@link Held} lets it. */
  static final String HELD = "{\"type\": \"test.held\"}";

  private static final AtomicInteger queues = new AtomicInteger();

  @LocalServerPort int port;

  ApiClient api = new ApiClient(URI.create("http://127.0.0.1"));
  String queue = "";
  Described described;

  @BeforeEach
  void meetTheService() throws IOException {
    api = new ApiClient(URI.create("http://127.0.0.1:" + port));
    described = new Described(api);
    queue = "api-" + queues.incrementAndGet();
  }

  String jobsOfTheQueue() {
    return "/v1/queues/" + queue + "/jobs";
  }

  Answer get(String path, String... headers) throws IOException {
    return checked("GET", path, api.get(path, headers));
  }

  Answer post(String path, String body, String... headers) throws IOException {
    return checked("POST", path, api.post(path, body, headers));
  }

  Answer put(String path, String body) throws IOException {
    return checked("PUT", path, api.put(path, body));
  }

  /** A request without a body. */
  Answer send(String method, String path, String... headers) throws IOException {
    return checked(method, path, api.send(method, path, BodyPublishers.noBody(), headers));
  }

  private Answer checked(String method, String path, Answer answer) {
    described.check(method, path, answer);
    return answer;
  }

  /** Submits a job that must be accepted, and returns its id. */
  String submit(String job) throws IOException {
    Answer answer = post(jobsOfTheQueue(), job);
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    return answer.json().path("id").asString();
  }

  /** Waits until the job has the state, and returns it as it was then. */
  JsonNode await(String id, String state) throws IOException {
    JsonNode seen = api.awaitState(id, state, SOON);
    get("/v1/jobs/" + id);
    return seen;
  }

  static List<String> ids(JsonNode items) {
    List<String> ids = new ArrayList<>();
    items.forEach(item -> ids.add(item.path("id").asString()));
    return ids;
  }
}
