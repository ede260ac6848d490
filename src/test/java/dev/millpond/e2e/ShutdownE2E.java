package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** SIGTERM: what is short ends, what is long is given back and finished by the next start. */
@Timeout(180)
class ShutdownE2E {

  private static final Duration GRACE = Duration.ofSeconds(3);
  private static final int JOBS = 10;
  private static final String QUEUE = "shutdown";

  /** What a JVM that ended by SIGTERM exits with: 128 + 15. */
  private static final int TERMINATED = 143;

  @Test
  void aStopGivesLongJobsBackAndTheNextStartFinishesThem() throws IOException {
    try (MillpondProcess service =
        new MillpondProcess("shutdown", Map.of("millpond.worker.grace", GRACE.toString()))) {
      ApiClient api = service.start().api();
      List<String> brief = api.submitAll(QUEUE, naps("PT2S"));
      List<String> lengthy = api.submitAll(QUEUE, naps("PT7S"));
      api.awaitCount(QUEUE, "running", 2 * JOBS, Duration.ofSeconds(5));

      long asked = System.nanoTime();
      service.term();
      await("not ready any more")
          .atMost(Duration.ofSeconds(1))
          .pollInterval(Duration.ofMillis(20))
          .until(() -> !isReady(api));
      service.term();
      int exitCode = service.awaitExit(GRACE.plusSeconds(15));
      Duration took = Duration.ofNanos(System.nanoTime() - asked);

      assertThat(exitCode).isEqualTo(TERMINATED);
      assertThat(took).isLessThanOrEqualTo(GRACE.plusSeconds(2));
      assertThat(service.postgresPid()).as("PostgreSQL stopped with its service").isEmpty();

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

  private static List<String> naps(String duration) {
    return Collections.nCopies(
        JOBS,
        "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"%s\"}}".formatted(duration));
  }

  private static boolean isReady(ApiClient api) {
    try {
      return api.get("/actuator/health/readiness").status() == 200;
    } catch (IOException notListening) {
      return false;
    }
  }
}
