package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Sink;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** A node that died comes back and need not wait for the leases of its former life. */
@Timeout(180)
class RestartE2E {

  private static final Duration LEASE = Duration.ofMinutes(10);
  private static final Duration FAR_BELOW_A_LEASE = Duration.ofMinutes(1);

  @Test
  void aRestartedNodeTakesItsFormerLeasesBackAtOnce() throws IOException {
    try (Sink sink = new Sink();
        MillpondProcess service =
            new MillpondProcess(
                "restart",
                Map.of(
                    "millpond.lease.duration",
                    LEASE.toString(),
                    "millpond.http.allow-private-addresses",
                    "true"))) {
      ApiClient api = service.start().api();
      List<String> jobs = api.submitAll("restart", Collections.nCopies(5, sink.job("/held")));
      api.awaitCount("restart", "running", 5, Duration.ofSeconds(30));

      service.kill9();
      sink.release();
      service.start();

      long ready = System.nanoTime();
      for (String id : jobs) {
        JsonNode job = api.awaitState(id, "succeeded", FAR_BELOW_A_LEASE);
        assertThat(job.path("recoveries").asInt()).as("%s", job).isEqualTo(1);
        assertThat(job.path("attempts").size()).as("%s", job).isEqualTo(2);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - ready)).isLessThan(FAR_BELOW_A_LEASE);
    }
  }
}
