package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.HandlerJar;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** Handlers that do not hear their interrupts, in half of the slots of a node. */
@Tag("whole")
@Timeout(300)
class StuckHandlersE2E {

  private static final int SLOTS = 20;
  private static final int STUCK = SLOTS / 2;
  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  /** Of the first attempt: so long is measured what it does to others. */
  private static final Duration DEAF = Duration.ofSeconds(20);

  private static final Duration SOON = Duration.ofMinutes(1);

  /** What two looks at the same thing may differ by on a machine that others use. */
  private static final Duration NOISE = Duration.ofMillis(10);

  private static final String HANDLER =
      """
      record Nap(Duration duration) {}

      @AutoConfiguration
      public class Deaf {

        @Bean
        JobHandler<Nap> deaf() {
          return new JobHandler<>() {
            @Override
            public String type() {
              return "deaf";
            }

            @Override
            public Class<Nap> payloadType() {
              return Nap.class;
            }

            @Override
            public Object handle(Nap nap, JobContext context) {
              long end = System.nanoTime() + (context.attempt() == 1 ? nap.duration().toNanos() : 0);
              while (System.nanoTime() - end < 0) {
                LockSupport.parkNanos(end - System.nanoTime());
                Thread.interrupted();
              }
              return null;
            }
          };
        }
      }
      """;

  private static final Logger log = LoggerFactory.getLogger(StuckHandlersE2E.class);

  @TempDir private Path directory;

  @Test
  void theyKeepTheirSlotsAndHoldUpNobodyElse() throws IOException, SQLException {
    List<String> program =
        MillpondProcess.jar(
            HandlerJar.option(directory, "Deaf", HANDLER),
            "-Dmillpond.worker.slots=" + SLOTS,
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx512m");
    try (Stage stage = Stage.of("stuck", 1, program);
        Trial trial = new Trial(stage, "K9", "half of a node's handlers ignore their interrupt")) {
      ApiClient api = stage.node(0).api();
      trial.load(4, Duration.ofMillis(50), n -> trial.effects().job(20)).awaitAcknowledged(200);
      Duration warm = doneWithin(api);
      Duration alone = doneWithin(api);
      List<String> stuck = submitStuck(api);
      await("all of them are counted")
          .atMost(Duration.ofSeconds(10))
          .until(() -> api.metric("millpond_slots_stuck") == STUCK);
      Duration beside = doneWithin(api);
      assertThat(api.metric("millpond_slots_stuck")).as("all the while").isEqualTo(STUCK);
      log.info("done within {} at first, then {}, beside stuck handlers {}", warm, alone, beside);
      for (String id : stuck) {
        assertTimedOutAndRunAgainAfterItsEnd(api.awaitState(id, "succeeded", SOON));
      }
      assertThat(api.metric("millpond_slots_stuck")).isZero();
      trial.judge();
      assertThat(beside).isLessThan(alone.multipliedBy(6).dividedBy(5).plus(NOISE));
    }
  }

  private static List<String> submitStuck(ApiClient api) throws IOException {
    String job =
        """
        {"type": "deaf", "payload": {"duration": "%s"}, "timeout": "%s",
         "retry": {"maxAttempts": 2, "initialDelay": "PT0S"}}
        """
            .formatted(DEAF, TIMEOUT);
    return api.submitAll("stuck", Collections.nCopies(STUCK, job));
  }

  /** One after the other, from submit to result: the 95th percentile. */
  private static Duration doneWithin(ApiClient api) throws IOException {
    List<Duration> took = new ArrayList<>();
    for (int n = 0; n < 400; n++) {
      long began = System.nanoTime();
      Answer answer =
          api.post("/v1/queues/beside/jobs", "{\"type\": \"demo.noop\"}", "Prefer", "wait=10");
      took.add(Duration.ofNanos(System.nanoTime() - began));
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }
    return took.stream().sorted().skip(took.size() * 95L / 100).findFirst().orElseThrow();
  }

  private static void assertTimedOutAndRunAgainAfterItsEnd(JsonNode job) {
    JsonNode first = job.path("attempts").path(0);
    JsonNode second = job.path("attempts").path(1);
    assertThat(job.path("attempts")).as("%s", job).hasSize(2);
    assertThat(first.path("error").path("type").asString()).isEqualTo("timeout");
    assertThat(Duration.between(at(first, "startedAt"), at(first, "finishedAt")))
        .isBetween(TIMEOUT, TIMEOUT.plus(Stage.SWEEP));
    assertThat(Duration.between(at(first, "startedAt"), at(second, "startedAt")))
        .as("not beside the first")
        .isGreaterThanOrEqualTo(DEAF);
  }

  private static Instant at(JsonNode attempt, String name) {
    return Instant.parse(attempt.path(name).asString());
  }
}
