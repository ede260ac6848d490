package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.JobLines;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** Long streams through short queues. */
@Timeout(300)
class StreamE2E {

  private static final Logger log = LoggerFactory.getLogger(StreamE2E.class);

  /** What the machine's noise may add to the memory of the process. */
  private static final int FLAT_KIB = 64 * 1024;

  @Test
  @Tag("whole")
  void aStreamPassesAQueueThatHoldsATenthOfItAndAStopEndsAnother() throws Exception {
    Map<String, String> settings =
        Map.of("millpond.worker.grace", "PT2S", "server.tomcat.connection-timeout", "3s");
    try (MillpondProcess service = new MillpondProcess("stream", settings)) {
      service.start();
      pass(service, 10_000, 1_000);
      unread(service);
      stop(service);
    }
  }

  @Test
  @Tag("whole")
  void aHundredThousandLinesPassAQueueOfTenThousandInFlatMemory() throws Exception {
    try (MillpondProcess service = new MillpondProcess("stream-whole", Map.of())) {
      service.start();
      pass(service, 20_000, 10_000); // what is made once is made
      long before = residentKib(service);
      pass(service, 100_000, 10_000);
      long after = residentKib(service);
      log.info("resident: {} KiB, then {} KiB", before, after);
      assertThat(after).isLessThan(before + FLAT_KIB);
    }
  }

  /** All lines are accepted, each as a job of its own, and done; none is refused. */
  private static void pass(MillpondProcess service, int lines, int cap) throws Exception {
    ApiClient api = service.api();
    String queue = "pass-" + lines;
    api.put("/v1/queues/" + queue, "{\"cap\": " + cap + "}");
    double finished = api.metric("millpond_jobs_finished_total");
    long begin = System.nanoTime();
    try (JobLines stream = JobLines.open(service.port(), "/v1/queues/" + queue + "/jobs")) {
      Thread producer = Thread.ofVirtual().start(() -> send(stream, lines));
      Set<String> ids = new HashSet<>();
      for (int line = 1; line <= lines; line++) {
        JsonNode verdict = verdict(stream);
        assertThat(verdict.path("line").asInt()).as("%s", verdict).isEqualTo(line);
        assertThat(verdict.path("status").asInt()).as("%s", verdict).isEqualTo(202);
        ids.add(verdict.path("id").asString());
      }
      producer.join();
      assertThat(stream.verdicts()).isEmpty();
      assertThat(ids).hasSize(lines);
    }
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    log.info("{} lines through a queue of {}: {}", lines, cap, took);
    await("all are done")
        .atMost(Duration.ofSeconds(60))
        .until(() -> api.metric("millpond_jobs_finished_total") == finished + lines);
    assertThat(api.metric("millpond_submits_refused_total")).isZero();
  }

  private static void send(JobLines stream, int lines) {
    for (int n = 0; n < lines; n++) {
      stream.send("{\"type\": \"demo.noop\", \"labels\": {\"n\": \"" + n + "\"}}");
    }
    try {
      stream.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next one that is about a line. */
  private static JsonNode verdict(JobLines stream) throws IOException {
    JsonNode verdict = stream.verdict();
    while (verdict.has("waiting")) {
      verdict = stream.verdict();
    }
    return verdict;
  }

  /** Who never reads is cut off, rather than to have its verdicts kept in memory. */
  private static void unread(MillpondProcess service) throws IOException {
    try (JobLines stream = JobLines.open(service.port(), "/v1/jobs")) {
      assertThatThrownBy(
              () -> {
                while (true) {
                  stream.send("{}");
                }
              })
          .isInstanceOf(UncheckedIOException.class);
    }
    ApiClient api = service.api();
    await("it is closed").until(() -> api.metric("millpond_streams") == 0);
  }

  /** A stream that waits when the service stops is told so, and what it was promised is there. */
  private static void stop(MillpondProcess service) throws IOException {
    ApiClient api = service.api();
    api.put("/v1/queues/stop", "{\"cap\": 1}");
    String id;
    try (JobLines stream = JobLines.open(service.port(), "/v1/queues/stop/jobs")) {
      for (int n = 0; n < 3; n++) {
        stream.send("{\"type\": \"demo.noop\", \"delay\": \"PT1H\"}");
      }
      id = verdict(stream).path("id").asString();
      // It bears that nothing comes for longer than a connection may be silent.
      assertThat(stream.verdict()).hasToString("{\"waiting\":true}");
      service.term();
      JsonNode last = verdict(stream);
      assertThat(last.path("problem").path("type").asString()).isEqualTo("/problems/overloaded");
      assertThat(stream.verdicts()).isEmpty();
    }
    service.awaitExit(Duration.ofSeconds(20));
    service.start();
    assertThat(api.job(id).path("state").asString()).isEqualTo("scheduled");
    assertThat(api.jobs("queue=stop")).hasSize(1);
  }

  private static long residentKib(MillpondProcess service) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + service.pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }
}
