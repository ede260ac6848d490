package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Sink;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The embedded database is killed, under load, and started again by the service: an acknowledged
 * job is finished, and no job is there twice.
 */
@Timeout(600)
class CrashE2E {

  private static final int CLIENTS = 8;
  private static final int ROUNDS = 3;
  private static final int JOBS_A_ROUND = 300;
  private static final Duration DRAIN = Duration.ofSeconds(90);

  private static final MillpondProcess service =
      new MillpondProcess(
          "crash",
          Map.of(
              "millpond.lease.duration", "PT2S",
              "millpond.lease.sweep", "PT0.5S",
              "millpond.http.allow-private-addresses", "true"));

  private static Sink sink;

  @BeforeAll
  static void start() throws IOException {
    sink = new Sink();
    service.start();
  }

  @AfterAll
  static void stop() {
    service.close();
    sink.close();
  }

  /** Every other one has an effect outside; the others take a moment. */
  private static IntFunction<String> jobs() {
    String call = sink.job("/").replaceFirst("^\\{", "").replaceFirst("}$", "");
    String nap = "\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT0.02S\"}";
    return n -> n % 2 == 0 ? call : nap;
  }

  @Test
  void acknowledgedJobsOutliveTheEmbeddedDatabase() throws IOException {
    Load load = new Load(service, "postgres-killed", CLIENTS, jobs());
    try (load) {
      for (int round = 1; round <= ROUNDS; round++) {
        load.awaitAcknowledged(JOBS_A_ROUND);
        long killed = service.postgresPid().orElseThrow();
        service.killPostgres();
        await("PostgreSQL runs again")
            .atMost(Duration.ofSeconds(60))
            .until(() -> service.postgresPid().filter(pid -> pid != killed).isPresent());
      }
      load.awaitAcknowledged(JOBS_A_ROUND);
    }
    assertKept("postgres killed", "postgres-killed", load);
  }

  private static void assertKept(String what, String queue, Load load) throws IOException {
    ApiClient api = service.api();
    api.awaitDrained(queue, DRAIN);
    History.assertKept(what, api, queue, load);
    // Handlers run at least once; under a crash some run again.
    for (var job : api.jobs("queue=" + queue + "&type=http.request&state=succeeded")) {
      assertThat(sink.calls(job.path("id").asString())).isNotEmpty();
    }
  }
}
