package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.JobEvents;
import dev.millpond.testing.JobEvents.Event;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** What happens to a job on one node is seen on another, and a stop ends what watches. */
@Timeout(300)
class WatchE2E {

  private static final Logger log = LoggerFactory.getLogger(WatchE2E.class);
  private static final Duration SOON = Duration.ofSeconds(20);

  /** What is promised, for most changes: this machine is shared. */
  private static final Duration TOLD = Duration.ofMillis(100);

  private static final int CHANGES = 30;

  @Test
  void changesCrossTheNodesInATenthOfASecondAndAStopEndsTheStreams() throws Exception {
    try (Pair pair = new Pair("watch", Duration.ofSeconds(30))) {
      ApiClient left = pair.left().api();
      for (MillpondProcess node : List.of(pair.left(), pair.right())) {
        // Each knows it from now on, and not a second later.
        node.api().put("/v1/queues/far", "{\"workers\": \"pull\"}");
      }
      String id = left.submit("far", "{\"type\": \"resize\"}");
      try (JobEvents events = JobEvents.open(pair.right().port(), id)) {
        assertThat(state(events)).isEqualTo("queued");
        JsonNode job = left.post("/v1/queues/far/claims", "{\"worker\": \"w\"}").json();
        String token = job.at("/jobs/0/lease/token").asString();
        assertThat(state(events)).isEqualTo("running");
        List<Duration> took = new ArrayList<>();
        for (int n = 1; n <= CHANGES; n++) {
          took.add(progress(left, id, token, n, events));
        }
        Collections.sort(took);
        log.info("seen on the other node after {} (median), {} (all)", took.get(CHANGES / 2), took);
        assertThat(took.get(CHANGES / 2)).isLessThan(TOLD);
        assertThat(took.getLast()).as("by the poll, at the latest").isLessThan(SOON);

        CompletableFuture<JsonNode> poll =
            CompletableFuture.supplyAsync(() -> waitForChange(pair.right().api(), id));
        await().atMost(SOON).until(() -> pair.right().api().metric("millpond_watchers") == 2);
        pair.right().term();
        assertThat(events.rest()).as("nothing more").isEmpty();
        assertThat(poll).succeedsWithin(SOON);
        pair.right().awaitExit(SOON);
      }
    }
  }

  private static String state(JobEvents events) throws IOException {
    Event event = events.next().orElseThrow();
    assertThat(event.name()).as("%s", event).isEqualTo("state");
    return event.data().path("state").asString();
  }

  /** Tells one node of progress, and says when the other one tells of it. */
  private static Duration progress(
      ApiClient node, String id, String token, int percent, JobEvents events) throws IOException {
    String body = "{\"token\": \"%s\", \"progress\": {\"percent\": %d}}".formatted(token, percent);
    assertThat(node.post("/v1/jobs/" + id + "/heartbeat", body).status()).isEqualTo(200);
    long committed = System.nanoTime();
    Event event = events.next().orElseThrow();
    assertThat(event.data().path("percent").asInt()).as("%s", event).isEqualTo(percent);
    return Duration.ofNanos(System.nanoTime() - committed);
  }

  private static JsonNode waitForChange(ApiClient node, String id) {
    try {
      return node.get("/v1/jobs/" + id, "Prefer", "wait=60").json();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
