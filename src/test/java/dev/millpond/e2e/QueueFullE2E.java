package dev.millpond.e2e;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.RawHttp;
import dev.millpond.testing.SharedMillpond;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** A full queue says so before anybody has to send it anything. */
@Timeout(120)
@ExtendWith(SharedMillpond.class)
class QueueFullE2E {

  /** Takes up room for as long as a test runs. */
  private static final String LATER = "{\"type\": \"demo.noop\", \"delay\": \"PT1H\"}";

  private static final int CAP = 20;

  private static void fill(ApiClient api, String queue) throws IOException {
    assertThat(api.put("/v1/queues/" + queue, "{\"cap\": " + CAP + "}").status()).isEqualTo(201);
    for (int n = 0; n < CAP; n++) {
      api.submit(queue, LATER);
    }
  }

  @Test
  void whatIsAboveTheCapIsRefusedWithATime(ApiClient api) throws IOException {
    fill(api, "full");
    Answer answer = api.post("/v1/queues/full/jobs", LATER);

    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.problem()).isEqualTo("queue-full");
    assertThat(Integer.parseInt(answer.header("Retry-After"))).isBetween(1, 300);
    JsonNode problem = answer.json();
    assertThat(problem.path("queue").asString()).isEqualTo("full");
    assertThat(problem.path("depth").asInt()).isEqualTo(CAP);
    assertThat(problem.path("cap").asInt()).isEqualTo(CAP);
    assertThat(problem.path("retryAfterMs").asLong()).isPositive();
    Answer page = api.get(problem.path("type").asString());
    assertThat(page.status()).as("the problem is explained").isEqualTo(200);
  }

  @Test
  void howeverManyRaceNothingIsAdmittedAboveTheCap(ApiClient api) throws Exception {
    assertThat(api.put("/v1/queues/race", "{\"cap\": " + CAP + "}").status()).isEqualTo(201);
    int accepted = 0;
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer>> answers = new ArrayList<>();
      for (int n = 0; n < 5 * CAP; n++) {
        answers.add(clients.submit(() -> api.post("/v1/queues/race/jobs", LATER)));
      }
      for (Future<Answer> future : answers) {
        Answer answer = future.get();
        assertThat(answer.status()).as(answer.body()).isIn(202, 503);
        if (answer.status() == 202) {
          accepted++;
        }
      }
    }
    assertThat(accepted).isEqualTo(CAP);
    assertThat(api.jobs("queue=race")).hasSize(CAP);
  }

  @Test
  void theRefusalDoesNotWaitForTheBody(ApiClient api, MillpondProcess service) throws IOException {
    fill(api, "unread");
    String head =
        """
        POST /v1/queues/unread/jobs HTTP/1.1\r
        Host: 127.0.0.1:%d\r
        Content-Type: application/json\r
        Content-Length: 100000\r
        """
            .formatted(service.port());

    String neverSent = RawHttp.exchange(service.port(), head + "\r\n");
    assertThat(RawHttp.status(neverSent)).as(neverSent).isEqualTo(503);
    assertThat(neverSent).containsIgnoringCase("Retry-After:").contains("queue-full");

    String half = RawHttp.exchange(service.port(), head + "\r\n{\"type\": ");
    assertThat(RawHttp.status(half)).as(half).isEqualTo(503);

    String asked = RawHttp.exchange(service.port(), head + "Expect: 100-continue\r\n\r\n");
    assertThat(RawHttp.status(asked)).as("no 100 first: %s", asked).isEqualTo(503);
  }

  @Test
  void curlGetsToSeeTheRefusalOfABodyThatItIsStillSending(ApiClient api, MillpondProcess service)
      throws Exception {
    assumeTrue(isOnPath("curl"), "NOT TESTED: no curl on this machine");
    fill(api, "curl");
    Path body = Files.createTempFile("millpond", ".json");
    try {
      for (int size : List.of(100, 100_000, 5_000_000)) {
        Files.writeString(
            body, "{\"type\": \"demo.noop\", \"payload\": \"" + "x".repeat(size) + "\"}");
        String output = curl(body, service.url() + "/v1/queues/curl/jobs");
        assertThat(output)
            .as("body of %d characters", size)
            .contains("queue-full")
            .endsWith(" 503");
      }
    } finally {
      Files.delete(body);
    }
  }

  private static String curl(Path body, String url) throws IOException, InterruptedException {
    Process curl =
        new ProcessBuilder(
                "curl",
                "--silent",
                "--show-error",
                "--max-time",
                "10",
                "--header",
                "Content-Type: application/json",
                "--data-binary",
                "@" + body,
                "--write-out",
                " %{http_code}",
                url)
            .redirectErrorStream(true)
            .start();
    String output = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(curl.waitFor()).as(output).isZero();
    return output;
  }

  private static boolean isOnPath(String program) {
    return Stream.of(requireNonNull(System.getenv("PATH")).split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
