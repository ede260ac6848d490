package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Sink;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** Two services on one database: they share the work, and one that was given up cannot do harm. */
@Timeout(300)
class TwoNodesE2E {

  private static final Duration LEASE = Duration.ofSeconds(6);
  private static final Duration SOON = Duration.ofSeconds(20);

  private static Pair pair;
  private static MillpondProcess left;
  private static MillpondProcess right;

  @BeforeAll
  static void start() {
    pair = new Pair("two", LEASE);
    left = pair.left();
    right = pair.right();
  }

  @AfterAll
  static void stop() {
    pair.close();
  }

  @Test
  void theyShareTheWorkAndSettleEachJobOnce() throws IOException {
    try (Sink sink = new Sink()) {
      List<String> ids =
          left.api().submitAll("shared", Collections.nCopies(1_000, sink.job("/slow")));
      right.api().awaitDrained("shared", Duration.ofSeconds(60));

      Set<MillpondProcess> workers = new HashSet<>();
      for (String id : ids) {
        JsonNode job = left.api().job(id);
        assertThat(job.path("state").asString()).as("%s", job).isEqualTo("succeeded");
        assertThat(job.path("attempts").size()).as("%s", job).isEqualTo(1);
        workers.add(nodeOf(job));
      }
      assertThat(workers).containsExactlyInAnyOrder(left, right);
      assertThat(sink.counts()).hasSize(ids.size()).containsOnlyKeys(ids);
      assertThat(sink.counts().values()).containsOnly(1);
    }
  }

  @Test
  void aZombieCannotSettleWhatWasClaimedAgain() throws IOException {
    try (Sink sink = new Sink()) {
      List<String> jobs = new ArrayList<>(Collections.nCopies(3, sink.job("/held")));
      // These end while their node is stopped: the first that it does when it wakes is to settle.
      jobs.addAll(
          Collections.nCopies(
              4, "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT5S\"}}"));
      List<String> ids = left.api().submitAll("zombie", jobs);
      await("calls arrived").atMost(SOON).until(() -> sink.counts().size() == 3);
      left.api().awaitCount("zombie", "running", ids.size(), SOON);
      MillpondProcess zombie = nodeOf(left.api().job(ids.getLast()));
      MillpondProcess other = zombie == left ? right : left;
      List<String> held = new ArrayList<>();
      for (String id : ids) {
        if (nodeOf(left.api().job(id)) == zombie) {
          held.add(id);
        }
      }

      zombie.stop();
      // Answered while nobody listens: the zombie finds the answers when it wakes up.
      sink.release();
      Map<String, JsonNode> settled = new HashMap<>();
      for (String id : held) {
        // A node runs jobs that may have killed their worker one after the other.
        JsonNode job = other.api().awaitState(id, "succeeded", LEASE.plus(SOON.multipliedBy(2)));
        assertThat(nodeOf(job)).as("%s", job).isEqualTo(other);
        settled.put(id, job);
      }

      zombie.cont();
      await("the zombie's settlements are fenced")
          .atMost(SOON)
          .until(() -> zombie.api().metric("millpond_settlements_fenced_total") > 0);
      await("the zombie has let go")
          .atMost(SOON)
          .until(() -> zombie.api().metric("millpond_slots_used") == 0);
      for (String id : held) {
        JsonNode job = zombie.api().job(id);
        assertThat(job).as("unchanged by the zombie").isEqualTo(settled.get(id));
        assertThat(job.path("recoveries").asInt()).as("%s", job).isEqualTo(1);
        assertThat(job.path("attempts").size()).as("%s", job).isEqualTo(2);
        if (job.path("type").asString().equals("http.request")) {
          assertThat(sink.calls(id)).as("once by each of the two").hasSize(2);
        }
      }
      other.api().awaitDrained("zombie", SOON);
    }
  }

  @Test
  void aPauseOfHalfALeaseIsForgiven() throws IOException {
    try (Sink sink = new Sink()) {
      List<String> ids = left.api().submitAll("pause", Collections.nCopies(5, sink.job("/held")));
      await("all run").atMost(SOON).until(() -> sink.counts().size() == ids.size());

      MillpondProcess paused = nodeOf(left.api().job(ids.getFirst()));
      paused.stop();
      pause(LEASE.dividedBy(2));
      paused.cont();
      // Two more renewals and as many sweeps have seen the leases before the jobs end.
      pause(LEASE);
      sink.release();
      for (String id : ids) {
        JsonNode job = right.api().awaitState(id, "succeeded", SOON);
        assertThat(job.path("attempts").size()).as("%s", job).isEqualTo(1);
        assertThat(sink.calls(id)).hasSize(1);
      }
    }
  }

  @Test
  void aNodeThatStopsKeepsItsLeasesForAsLongAsItsJobsMayFinish() throws IOException {
    String longerThanALease = "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT12S\"}}";
    String id = left.api().submitAll("grace", List.of(longerThanALease)).getFirst();
    MillpondProcess stopping = nodeOf(left.api().awaitState(id, "running", SOON));
    MillpondProcess other = stopping.equals(left) ? right : left;
    stopping.term();
    stopping.awaitExit(Duration.ofSeconds(60));

    JsonNode job = other.api().job(id);
    assertThat(job.path("state").asString()).as("%s", job).isEqualTo("succeeded");
    assertThat(job.path("attempts").size()).as("%s", job).isEqualTo(1);
    assertThat(job.path("recoveries").asInt()).as("%s", job).isZero();
    stopping.start();
  }

  /** The pause is what is tested here, not a wait for something. */
  private static void pause(Duration length) {
    long end = System.nanoTime() + length.toNanos();
    await("pause")
        .atMost(length.plus(SOON))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> System.nanoTime() - end >= 0);
  }

  /** The node that ran, or runs, the job's newest attempt. */
  private static MillpondProcess nodeOf(JsonNode job) {
    JsonNode newest = job.path("attempts").get(job.path("attempts").size() - 1);
    return newest.path("worker").asString().equals("left") ? left : right;
  }
}
