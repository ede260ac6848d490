package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.RawHttp;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map.Entry;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** Queues: their settings, and what happens at their cap. */
class QueueIT extends WholeApi {

  @Autowired private DataSource dataSource;
  @Autowired private JdbcClient jdbc;

  @WithoutStoreFaults("a PUT that is sent again creates nothing")
  @Test
  void whatIsLeftOutIsKeptAndNullResets() throws IOException {
    String path = "/v1/queues/" + queue;
    assertThat(get(path).status()).isEqualTo(404);
    Answer created = put(path, "{}");
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.header("Location")).isEqualTo(path);
    assertThat(created.json()).isEqualTo(get(created.header("Location")).json());
    assertThat(put(path, "{}").header("Location")).isEmpty();
    assertSettings(put(path, "{}"), 10_000, null);
    assertSettings(put(path, "{\"cap\": 5, \"concurrency\": 2}"), 5, 2);
    assertSettings(put(path, "{\"cap\": 6}"), 6, 2);
    assertSettings(put(path, "{\"concurrency\": null}"), 6, null);
    assertSettings(put(path, "{\"cap\": null}"), 10_000, null);
    assertSettings(get(path), 10_000, null);
  }

  @Test
  void aLongestWaitIsSetKeptAndReset() throws IOException {
    String path = "/v1/queues/" + queue;
    assertThat(put(path, "{}").json().path("maxWait").isNull()).isTrue();
    assertThat(put(path, "{\"maxWait\": \"PT1M30.5S\"}").json().path("maxWait").asString())
        .isEqualTo("PT1M30.5S");
    assertThat(put(path, "{\"cap\": 5}").json().path("maxWait").asString()).isEqualTo("PT1M30.5S");
    // As another node would change it: it is found in the table.
    jdbc.sql("update queue set max_wait_ms = 7000, updated_at = now() where name = :queue")
        .param("queue", queue)
        .update();
    Awaitility.await()
        .atMost(SOON)
        .until(() -> get(path).json().path("maxWait").asString().equals("PT7S"));
    assertThat(put(path, "{\"maxWait\": null}").json().path("maxWait").isNull()).isTrue();
    for (String bound : List.of("PT1S", "PT24H")) {
      assertThat(put(path, "{\"maxWait\": \"" + bound + "\"}").json().path("maxWait").asString())
          .isEqualTo(bound);
    }
  }

  private static void assertSettings(Answer answer, int cap, @Nullable Integer concurrency) {
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().path("cap").asInt()).isEqualTo(cap);
    assertThat(answer.json().path("concurrency").toString()).isEqualTo("" + concurrency);
  }

  @Test
  void aQueueTellsWhatWaits() throws IOException {
    put("/v1/queues/" + queue, "{\"concurrency\": 1}");
    String first = submit(LONG);
    await(first, "running");
    String second = submit(NOOP);
    submit(LATER);
    JsonNode body = get("/v1/queues/" + queue).json();
    assertThat(body.path("depth").toString())
        .isEqualTo("{\"total\":2,\"queued\":1,\"scheduled\":1,\"blocked\":0,\"retrying\":0}");
    assertThat(body.path("running").asInt()).isEqualTo(1);
    send("POST", "/v1/jobs/" + first + "/cancel");
    await(second, "succeeded");
  }

  @Test
  void aQueueTellsHowItMoves() throws IOException {
    JsonNode still = put("/v1/queues/" + queue, "{\"concurrency\": 1}").json();
    assertThat(still.path("arrivalRatePerSecond").asDouble(-1)).isZero();
    assertThat(still.path("waited").isNull()).isTrue();
    assertThat(still.path("oldestAge").isNull()).isTrue();
    String first = submit(LONG);
    await(first, "running");
    String second = submit(NOOP);
    Instant submitted = Instant.parse(get("/v1/jobs/" + second).json().path("runAt").asString());
    JsonNode body = get("/v1/queues/" + queue).json();
    assertThat(body.path("arrivalRatePerSecond").asDouble()).isEqualTo(0.03); // two a minute
    assertThat(Duration.parse(body.path("oldestAge").asString()))
        .isBetween(Duration.ZERO, Duration.between(submitted, Instant.now()));
    assertThat(body.path("waited").properties()).extracting(Entry::getKey).contains("p50", "p99");
    assertThat(listed().path("arrivalRatePerSecond")).isEqualTo(body.path("arrivalRatePerSecond"));
    assertThat(listed().path("waited")).isEqualTo(body.path("waited"));
    assertThat(listed().path("oldestAge").isString()).isTrue();
    Duration wait = Duration.parse(body.path("waited").path("p99").asString());
    // So that the second one has waited longer, and is the greatest of the two.
    Awaitility.await()
        .atMost(SOON)
        .until(() -> Duration.parse(listed().path("oldestAge").asString()).compareTo(wait) > 0);
    send("POST", "/v1/jobs/" + first + "/cancel");
    JsonNode done = await(second, "succeeded");
    JsonNode later = get("/v1/queues/" + queue).json();
    Duration waited = Duration.between(submitted, Instant.parse(done.path("startedAt").asString()));
    assertThat(Duration.parse(later.path("waited").path("p99").asString()))
        // The id is stamped a moment before the job is written.
        .isCloseTo(waited, Duration.ofMillis(100))
        .isGreaterThan(wait);
    assertThat(later.path("oldestAge").isNull()).isTrue();
  }

  private JsonNode listed() throws IOException {
    return get("/v1/queues?limit=500")
        .json()
        .path("items")
        .valueStream()
        .filter(item -> item.path("name").asString().equals(queue))
        .findFirst()
        .orElseThrow();
  }

  private void fill() throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 2}");
    submit(LATER);
    submit(LATER);
  }

  @WithoutStoreFaults("the job that fills a queue is refused when it is sent again")
  @Test
  void aFullQueueSaysWhenToComeBack() throws IOException {
    fill();
    Answer answer = post(jobsOfTheQueue(), LATER);
    assertThat(answer.status()).isEqualTo(503);
    assertThat(Integer.parseInt(answer.header("Retry-After"))).isBetween(1, 300);
    JsonNode problem = answer.json();
    assertThat(answer.problem()).isEqualTo("queue-full");
    assertThat(problem.path("queue").asString()).isEqualTo(queue);
    assertThat(problem.path("depth").asInt()).isEqualTo(2);
    assertThat(problem.path("cap").asInt()).isEqualTo(2);
    assertThat(problem.path("retryAfterMs").asInt()).isBetween(1, 300_000);
    assertThat(problem.path("violated-policies").toString()).isEqualTo("[\"depth\"]");
    assertThat(api.jobs("queue=" + queue)).hasSize(2);
  }

  @WithoutStoreFaults("the job that fills a queue is refused when it is sent again")
  @Test
  void aFullQueueIsRefusedBeforeTheBodyIsRead() throws IOException {
    fill();
    String head =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n"
            .formatted(jobsOfTheQueue());
    for (String request :
        List.of(head + "Expect: 100-continue\r\n\r\n", head + "\r\n", head + "\r\n{\"type\"")) {
      String answer = RawHttp.exchange(port, request);
      assertThat(RawHttp.status(answer)).as(answer).isEqualTo(503);
      assertThat(answer).contains("/problems/queue-full").containsIgnoringCase("Retry-After: ");
    }
  }

  @WithoutStoreFaults("the job that fills a queue is refused when it is sent again")
  @Test
  void aFullQueueIsRefusedWithoutTheDatabase() throws IOException, SQLException {
    fill();
    List<Connection> all = new ArrayList<>();
    try {
      for (int n = 0; n < 8; n++) {
        all.add(dataSource.getConnection());
      }
      // Whoever asked for a connection would wait for 1.5 s and be told of no database.
      long begin = System.nanoTime();
      assertThat(post(jobsOfTheQueue(), LATER).problem()).isEqualTo("queue-full");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofMillis(1_500));
    } finally {
      for (Connection connection : all) {
        connection.close();
      }
    }
  }
}
