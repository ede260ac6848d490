package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two services share the room under one cap, and what a killed one held is not lost. */
@Timeout(180)
class SharedCapE2E {

  private static final Duration LEASE = Duration.ofSeconds(3);
  private static final int CAP = 400;

  /** Takes up room for as long as a test runs. */
  private static final String LATER = "{\"type\": \"demo.noop\", \"delay\": \"PT1H\"}";

  private static Pair pair;
  private static MillpondProcess left;
  private static MillpondProcess right;

  @BeforeAll
  static void start() {
    pair = new Pair("cap", LEASE);
    left = pair.left();
    right = pair.right();
  }

  @AfterAll
  static void stop() {
    pair.close();
  }

  /** Submits to both nodes at once; returns how many were accepted. */
  private static long submit(String queue, int jobs, List<MillpondProcess> nodes) {
    try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      return IntStream.range(0, jobs)
          .mapToObj(
              n ->
                  CompletableFuture.supplyAsync(
                      () -> post(queue, nodes.get(n % nodes.size())), clients))
          .toList()
          .stream()
          .map(CompletableFuture::join)
          .filter(answer -> answer.status() == 202)
          .count();
    }
  }

  private static Answer post(String queue, MillpondProcess node) {
    try {
      Answer answer = node.api().post("/v1/queues/" + queue + "/jobs", LATER);
      assertThat(answer.status()).as(answer.body()).isIn(202, 503);
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void cap(String queue, int cap) throws Exception {
    Answer answer = left.api().put("/v1/queues/" + queue, "{\"cap\": " + cap + "}");
    assertThat(answer.status()).isIn(200, 201);
    await("both nodes know the cap")
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              Answer there = right.api().get("/v1/queues/" + queue);
              return there.status() == 200 && there.json().path("cap").asInt() == cap;
            });
  }

  private static int depth(String queue, MillpondProcess node) throws Exception {
    return node.api().get("/v1/queues/" + queue).json().path("depth").path("total").asInt();
  }

  @Test
  void twoNodesFillOneCapExactly() throws Exception {
    cap("shared-cap", CAP);
    long accepted = submit("shared-cap", 2 * CAP, List.of(left, right));
    assertThat(accepted).isBetween((long) (0.9 * CAP), (long) CAP);
    assertThat(depth("shared-cap", left)).isEqualTo((int) accepted);
    await("the last permits are found by whoever asks")
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              submit("shared-cap", 1, List.of(right));
              return depth("shared-cap", left) == CAP;
            });
    assertThat(submit("shared-cap", 20, List.of(left, right))).isZero();
  }

  @Test
  void whatAKilledNodeHeldIsFreeAfterALease() throws Exception {
    cap("killed", CAP);
    assertThat(submit("killed", CAP / 2, List.of(left, right))).isEqualTo(CAP / 2);
    left.kill9();
    left.awaitExit(Duration.ofSeconds(10));
    await("the room is whole again")
        .atMost(LEASE.multipliedBy(2).plus(Duration.ofSeconds(10)))
        .until(
            () -> {
              submit("killed", 10, List.of(right));
              return depth("killed", right) == CAP;
            });
    assertThat(submit("killed", 20, List.of(right))).isZero();
    left.start();
    assertThat(submit("killed", 20, List.of(left, right))).isZero();
  }
}
