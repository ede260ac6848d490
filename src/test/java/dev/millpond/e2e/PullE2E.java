package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Program;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Workers over HTTP at two services on one database, and the two that are given as examples. */
@Timeout(300)
class PullE2E {

  private static final Duration LEASE = Duration.ofSeconds(2);
  private static final Duration SWEEP = Duration.ofMillis(500);
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String RESIZE =
      "{\"type\": \"resize\", \"payload\": {\"image\": \"17.png\"}}";

  private static Pair pair;
  private static MillpondProcess left;
  private static MillpondProcess right;

  @BeforeAll
  static void start() {
    pair = new Pair("pull", LEASE);
    left = pair.left();
    right = pair.right();
  }

  @AfterAll
  static void stop() {
    pair.close();
  }

  /** Makes the queue one of pull workers, and waits until both nodes know. */
  private static void pulled(String queue) throws IOException {
    left.api().put("/v1/queues/" + queue, "{\"workers\": \"pull\"}");
    await("the other node knows")
        .atMost(SOON)
        .until(() -> claim(right.api(), queue, "PT1S").status() == 200);
  }

  private static Answer claim(ApiClient api, String queue, String lease) throws IOException {
    // The name of a node, so that nobody is taken for another by it.
    String claim = "{\"worker\": \"left\", \"lease\": \"%s\"}".formatted(lease);
    return api.post("/v1/queues/" + queue + "/claims", claim, "Prefer", "wait=5");
  }

  private static JsonNode claimed(ApiClient api, String queue, String lease) {
    return await("a job is claimed")
        .atMost(SOON)
        .until(() -> claim(api, queue, lease).json().path("jobs").path(0), JsonNode::isObject);
  }

  private static Answer complete(ApiClient api, JsonNode job) throws IOException {
    String token = job.path("lease").path("token").asString();
    return api.post(
        "/v1/jobs/" + job.path("id").asString() + "/complete", "{\"token\": \"" + token + "\"}");
  }

  @Test
  void whatIsClaimedFromOneNodeIsCompletedAtTheOther() throws IOException {
    pulled("across");
    String id = right.api().submit("across", RESIZE);
    JsonNode job = claimed(left.api(), "across", "PT30S");
    assertThat(job.path("id").asString()).isEqualTo(id);
    assertThat(complete(right.api(), job).status()).isEqualTo(200);
    assertThat(complete(left.api(), job).status()).as("the same again").isEqualTo(200);
    assertThat(left.api().job(id).path("state").asString()).isEqualTo("succeeded");
  }

  @Test
  void theJobOfAWorkerThatVanishedRunsElsewhereWithinALeaseAndASweep() throws IOException {
    pulled("vanished");
    String id = left.api().submit("vanished", RESIZE);
    JsonNode lost = claimed(left.api(), "vanished", LEASE.toString());
    long vanished = System.nanoTime();
    JsonNode again = claimed(right.api(), "vanished", "PT30S");
    assertThat(Duration.ofNanos(System.nanoTime() - vanished))
        // And a poll, where the other node's sweep found it and its hint got lost.
        .isLessThan(LEASE.plus(SWEEP).plus(Duration.ofSeconds(5)));
    assertThat(again.path("id").asString()).isEqualTo(id);
    assertThat(again.path("recoveries").asInt()).isEqualTo(1);
    assertThat(complete(left.api(), lost).problem()).isEqualTo("lease-lost");
    assertThat(complete(left.api(), again).status()).isEqualTo(200);
  }

  @Test
  void anAttemptThatTakesTooLongHasTimedOutAlthoughItsLeaseWasLonger() throws IOException {
    pulled("slow");
    String id =
        left.api()
            .submit(
                "slow",
                "{\"type\": \"resize\", \"timeout\": \"PT1S\", \"retry\": {\"maxAttempts\": 1}}");
    JsonNode job = claimed(left.api(), "slow", "PT1H");
    JsonNode dead = right.api().awaitState(id, "failed", SOON);
    assertThat(dead.path("error").path("type").asString()).isEqualTo("timeout");
    assertThat(dead.path("recoveries").asInt()).isZero();
    assertThat(complete(right.api(), job).problem()).isEqualTo("lease-lost");
  }

  @Test
  void aRestartedNodeLeavesTheLeasesOfPullWorkersAlone() throws IOException {
    pulled("restart");
    String id = left.api().submit("restart", RESIZE);
    JsonNode job = claimed(left.api(), "restart", "PT10M");
    left.kill9();
    left.start();
    await("it has looked for what it held in its former life")
        .atMost(SOON)
        .until(PullE2E::hasSwept);
    assertThat(left.api().job(id).path("recoveries").asInt()).isZero();
    assertThat(complete(left.api(), job).status()).isEqualTo(200);
    assertThat(right.api().job(id).path("state").asString()).isEqualTo("succeeded");
  }

  private static boolean hasSwept() throws IOException {
    return left.api()
        .get("/actuator/scheduledtasks")
        .json()
        .path("fixedDelay")
        .valueStream()
        .filter(task -> task.path("runnable").path("target").asString().contains("LeaseReaper"))
        .anyMatch(task -> task.path("lastExecution").path("status").asString().equals("SUCCESS"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"worker.py", "worker.sh"})
  void theExampleDoesItsJobs(String example) throws Exception {
    List<String> needed =
        example.endsWith(".py") ? List.of("python3") : List.of("sh", "curl", "jq");
    for (String program : needed) {
      Skipped.unless(
          Program.exists(program), "no " + program + " here, so " + example + " was not run");
    }
    assertThat(Files.readAllLines(Path.of("http-examples", example))).hasSizeLessThan(60);
    String queue = example.replace('.', '-');
    pulled(queue);
    List<String> ids = left.api().submitAll(queue, Collections.nCopies(5, RESIZE));
    String bad =
        left.api()
            .submit(
                queue, "{\"type\": \"resize\", \"payload\": {}, \"retry\": {\"maxAttempts\": 1}}");
    Process worker =
        new ProcessBuilder(
                needed.getFirst(), "http-examples/" + example, left.url().toString(), queue)
            .redirectErrorStream(true)
            .redirectOutput(Path.of("target", "e2e", example + ".log").toFile())
            .start();
    try {
      for (String id : ids) {
        JsonNode job = right.api().awaitState(id, "succeeded", SOON);
        assertThat(job.path("result").toString()).isEqualTo("{\"resized\":\"17.png\"}");
        assertThat(job.path("attempts").size()).isEqualTo(1);
      }
      assertThat(
              right.api().awaitState(bad, "failed", SOON).path("error").path("message").asString())
          .contains("image");
    } finally {
      worker.descendants().forEach(ProcessHandle::destroy);
      worker.destroy();
      assertThat(worker.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
  }
}
