package dev.millpond.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.IntegrationTest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

/** Watches of the test's own, which nobody tells or calls but the test. */
@IntegrationTest
@TestPropertySource(properties = "millpond.worker.slots=0")
@Timeout(60)
class WatchesIT {

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration LONG = Duration.ofSeconds(60);

  @Autowired private JobSql sql;
  @Autowired private JdbcClient jdbc;
  @LocalServerPort private int port;

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private Watches watches;
  private UUID id;

  @BeforeEach
  void submit() throws IOException {
    ApiClient api = new ApiClient(URI.create("http://127.0.0.1:" + port));
    watches = new Watches(sql, meters);
    id = UUID.fromString(api.submit("watched", "{\"type\": \"demo.noop\"}"));
  }

  /** Waits for another version; returns once it has seen this one and waits. */
  private Future<Optional<Job>> waiting() {
    int seen = sql.find(id).orElseThrow().version();
    FutureTask<Optional<Job>> answer =
        new FutureTask<>(() -> watches.await(id, job -> job.version() != seen, LONG));
    Thread thread = Thread.ofPlatform().daemon().start(answer);
    await().atMost(SOON).until(() -> thread.getState() == Thread.State.TIMED_WAITING);
    return answer;
  }

  private int change() {
    jdbc.sql("update ready set version = version + 1 where id = :id").param("id", id).update();
    return sql.find(id).orElseThrow().version();
  }

  private static void assertVersion(Future<Optional<Job>> answer, int version) {
    assertThat(answer).succeedsWithin(SOON);
    assertThat(answer.resultNow().orElseThrow().version()).isEqualTo(version);
  }

  @Test
  void whoIsToldLooksAgain() {
    Future<Optional<Job>> answer = waiting();
    int version = change();
    watches.changed(UUID.randomUUID());
    assertThat(answer.isDone()).as("another job's change").isFalse();
    watches.changed(id);
    assertVersion(answer, version);
  }

  @Test
  void whatNobodyToldIsFound() {
    Future<Optional<Job>> answer = waiting();
    watches.look();
    assertThat(answer.isDone()).as("nothing has changed").isFalse();
    int version = change();
    watches.look();
    assertVersion(answer, version);
  }

  @Test
  void noMoreThanTwoThousandWaitAndAllAreAnsweredAtTheStop() {
    int most = 2_000;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Optional<Job>>> all = new ArrayList<>();
      for (int n = 0; n < most; n++) {
        assertThat(watches.takesMore()).isTrue();
        all.add(threads.submit(() -> watches.await(id, job -> false, LONG)));
      }
      await().atMost(SOON).until(() -> !watches.takesMore());
      assertThat(meters.get("millpond.watchers").gauge().value()).isEqualTo(most);
      watches.stop();
      for (Future<Optional<Job>> each : all) {
        assertThat(each).succeedsWithin(SOON);
      }
    }
    assertThat(meters.get("millpond.watchers").gauge().value()).isZero();
    assertThat(watches.takesMore()).as("it stops").isFalse();
  }
}
