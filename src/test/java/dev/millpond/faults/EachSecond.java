package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** A schedule that fires each second while its nodes are killed, one or all at once. */
final class EachSecond {

  private static final String NAME = "each-second";
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Logger log = LoggerFactory.getLogger(EachSecond.class);

  private final Stage stage;
  private final Random random;

  EachSecond(Stage stage, long seed) {
    this.stage = stage;
    this.random = new Random(seed);
  }

  /** Kills and starts nodes for so long, and then sees that no second is missing or there twice. */
  void run(Duration length) throws IOException {
    Instant begin =
        Instant.parse(
            put("{\"cron\": \"* * * * * *\", \"queue\": \"%s\", \"misfire\": \"all\", \"job\":"
                    + " {\"type\": \"demo.noop\"}}")
                .path("updatedAt")
                .asString());
    long end = System.nanoTime() + length.toNanos();
    boolean all = true;
    while (System.nanoTime() - end < 0) {
      LockSupport.parkNanos(Duration.ofMillis(500 + random.nextInt(2_000)).toNanos());
      kill(all ? stage.size() : 1);
      all = random.nextInt(4) == 0;
    }
    // All is made up for, and then nothing more is due.
    await("the calendar is as far as the clock")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(200))
        .until(
            () -> seconds().reduce((_, last) -> last).orElse(begin),
            last -> last.isAfter(Instant.now().minusSeconds(2)));
    put("{\"paused\": true}");
    await("nothing is open")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(() -> assertThat(isEachSecondThereOnce(begin)).isEmpty());
    log.info("{} seconds, each fired once", seconds().count());
    assertThat(stage.node(0).api().send("DELETE", path(), BodyPublishers.noBody()).status())
        .isEqualTo(204);
  }

  private void kill(int count) {
    int first = random.nextInt(stage.size());
    List<Integer> killed = Stream.iterate(first, n -> (n + 1) % stage.size()).limit(count).toList();
    log.info("kill -9 of nodes {}", killed);
    killed.forEach(n -> stage.node(n).kill9());
    killed.forEach(n -> stage.node(n).launch());
    killed.forEach(n -> stage.node(n).awaitReady());
  }

  /** What is wrong with the seconds from the first that was due; empty if nothing is. */
  private List<String> isEachSecondThereOnce(Instant begin) throws IOException {
    List<Instant> fired = seconds().toList();
    Instant first = Instant.ofEpochSecond(begin.getEpochSecond() + 1);
    long span = Duration.between(first, fired.getLast()).toSeconds() + 1;
    List<Instant> due = Stream.iterate(first, at -> at.plusSeconds(1)).limit(span).toList();
    return fired.equals(due)
        ? List.of()
        : List.of(
            "missing: " + due.stream().filter(at -> !fired.contains(at)).toList(),
            "twice: "
                + fired.stream().filter(at -> fired.indexOf(at) != fired.lastIndexOf(at)).toList());
  }

  /** For which seconds there are jobs, in order. */
  private Stream<Instant> seconds() throws IOException {
    return stage.node(0).api().jobs("label=schedule:" + NAME).stream()
        .map(job -> Instant.parse(job.path("labels").path("dueAt").asString()))
        .sorted();
  }

  private JsonNode put(String settings) throws IOException {
    ApiClient.Answer answer = stage.node(0).api().put(path(), settings.formatted(NAME));
    assertThat(answer.status()).as(answer.body()).isIn(200, 201);
    return answer.json();
  }

  private static String path() {
    return "/v1/schedules/" + NAME;
  }
}
