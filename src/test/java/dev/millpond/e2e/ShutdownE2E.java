package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Sink;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** SIGTERM: what is short ends, what is long is given back and finished by the next start. */
@Timeout(180)
class ShutdownE2E {

  private static final Duration GRACE = Duration.ofSeconds(10);

  /** What the compose file gives a stop beside the grace. */
  private static final Duration REST = Duration.ofSeconds(10);

  private static final Map<String, String> SETTINGS =
      Map.of(
          "millpond.worker.grace", GRACE.toString(),
          "millpond.http.allow-private-addresses", "true",
          "millpond.http.max-connections-per-host", "64");

  private static final int JOBS = 10;
  private static final String QUEUE = "shutdown";

  /** What a JVM that ended by SIGTERM exits with: 128 + 15. */
  private static final int TERMINATED = 143;

  @Test
  void aStopGivesLongJobsBackAndTheNextStartFinishesThem() throws IOException {
    try (Sink endsInTime = new Sink();
        Sink endsLater = new Sink();
        MillpondProcess service = new MillpondProcess("shutdown", SETTINGS)) {
      ApiClient api = service.start().api();
      List<String> brief = api.submitAll(QUEUE, calls(endsInTime));
      List<String> lengthy = api.submitAll(QUEUE, calls(endsLater));
      await("all run")
          .atMost(Duration.ofSeconds(30))
          .until(() -> endsInTime.counts().size() + endsLater.counts().size() == 2 * JOBS);

      String lasting = "/v1/jobs/" + lengthy.getFirst();
      CompletableFuture<Answer> waiting =
          CompletableFuture.supplyAsync(() -> get(api, lasting, "Prefer", "wait=60"));
      await("one waits").until(() -> meters(api).contains("millpond_watchers 1.0"));
      long asked = System.nanoTime();
      service.term();
      await("not ready any more")
          .atMost(GRACE)
          .pollInterval(Duration.ofMillis(20))
          .until(() -> !isReady(api));
      assertThat(waiting).succeedsWithin(GRACE);
      assertThat(waiting.join().status()).as("as it is, since it stops").isEqualTo(200);
      service.term();
      endsInTime.release();
      int exitCode = service.awaitExit(GRACE.plus(REST).plusSeconds(15));
      Duration took = Duration.ofNanos(System.nanoTime() - asked);

      assertThat(exitCode).isEqualTo(TERMINATED);
      assertThat(took).isLessThanOrEqualTo(GRACE.plus(REST));
      assertThat(service.postgresPid()).as("PostgreSQL stopped with its service").isEmpty();

      assertThat(service.log()).content().doesNotContain(" ERROR ");

      endsLater.release();
      service.start();
      for (String id : brief) {
        JsonNode job = api.job(id);
        assertThat(job.path("state").asString()).as("%s", job).isEqualTo("succeeded");
        assertThat(job.path("attempts").size()).as("%s", job).isEqualTo(1);
      }
      for (String id : lengthy) {
        JsonNode job = api.awaitState(id, "succeeded", Duration.ofSeconds(20));
        assertThat(job.path("attempt").asInt()).as("given back, not counted: %s", job).isEqualTo(1);
        assertThat(job.path("recoveries").asInt()).as("%s", job).isZero();
      }
    }
  }

  /** Jobs that end when the sink lets them. */
  private static List<String> calls(Sink sink) {
    return Collections.nCopies(JOBS, sink.job("/held"));
  }

  private static Answer get(ApiClient api, String path, String... headers) {
    try {
      return api.get(path, headers);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String meters(ApiClient api) {
    return get(api, "/actuator/prometheus").body();
  }

  private static boolean isReady(ApiClient api) {
    try {
      return api.get("/actuator/health/readiness").status() == 200;
    } catch (IOException notListening) {
      return false;
    }
  }
}
