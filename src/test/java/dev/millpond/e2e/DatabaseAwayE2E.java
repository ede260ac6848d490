package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.JobLines;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The database goes and comes back; the service says so, keeps living, and needs nobody's help. */
@Timeout(300)
class DatabaseAwayE2E {

  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String NOOP = "{\"type\": \"demo.noop\"}";

  @Test
  void withoutItsDatabaseTheServiceRefusesQuicklyAndRecoversByItself() throws IOException {
    try (PostgresServer postgres = new PostgresServer("away-postgres");
        MillpondProcess service = new MillpondProcess("away", postgres.properties()).start();
        JobLines stream = JobLines.open(service.port(), "/v1/queues/away-lines/jobs")) {
      ApiClient api = service.api();
      stream.send(NOOP);
      assertThat(stream.verdict().path("status").asInt()).isEqualTo(202);
      String before = api.submit("away", NOOP);
      api.awaitState(before, "succeeded", SOON);

      CompletableFuture<Answer> awaited = CompletableFuture.supplyAsync(() -> awaited(api));
      await("one waits")
          .atMost(SOON)
          .until(() -> api.get("/actuator/prometheus").body().contains("millpond_watchers 1.0"));
      postgres.stopImmediately();
      // What meets a connection that has just broken cannot know; all others can.
      for (int n = 0; n < 5; n++) {
        assertRefused(api, "database-unavailable", "outcome-unknown");
      }
      await("not ready any more")
          .atMost(SOON)
          .until(() -> api.get("/actuator/health/readiness").status() == 503);
      assertThat(api.get("/actuator/health/liveness").status()).isEqualTo(200);
      assertRefused(api, "database-unavailable");
      Answer status = api.get("/v1/jobs/" + before);
      assertThat(status.status()).as(status.body()).isEqualTo(503);

      stream.send(NOOP);
      assertThat(stream.verdict().path("problem").path("type").asString())
          .isEqualTo("/problems/database-unavailable");

      assertThat(awaited).succeedsWithin(SOON);
      Answer accepted = awaited.join();
      assertThat(accepted.status()).as("it was accepted: %s", accepted.body()).isEqualTo(202);

      postgres.start();
      await("accepts again")
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(100))
          .until(() -> api.post("/v1/queues/away/jobs", NOOP).status() == 202);
      await("ready again")
          .atMost(SOON)
          .until(() -> api.get("/actuator/health/readiness").status() == 200);
      api.awaitState(api.submit("away", NOOP), "succeeded", SOON);
      api.awaitState(accepted.json().path("id").asString(), "succeeded", SOON);
      assertThat(api.job(before).path("state").asString()).isEqualTo("succeeded");
      assertThat(api.jobs("queue=away")).as("no refused job is there").hasSize(3);
      stream.send(NOOP);
      assertThat(stream.verdict().path("status").asInt()).as("the stream goes on").isEqualTo(202);
      assertThat(api.jobs("queue=away-lines")).hasSize(2);
    }
  }

  private static Answer awaited(ApiClient api) {
    try {
      String job = "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT3S\"}}";
      return api.post("/v1/queues/awaited/jobs", job, "Prefer", "wait=8");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void assertRefused(ApiClient api, String... problems) throws IOException {
    long sent = System.nanoTime();
    Answer answer = api.post("/v1/queues/away/jobs", NOOP);
    assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(Duration.ofSeconds(2));
    assertThat(answer.status()).as(answer.body()).isEqualTo(503);
    assertThat(answer.problem()).isIn((Object[]) problems);
    assertThat(Integer.parseInt(answer.header("Retry-After"))).isBetween(1, 60);
  }
}
