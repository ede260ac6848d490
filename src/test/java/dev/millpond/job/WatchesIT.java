package dev.millpond.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.IntegrationTest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.test.context.TestPropertySource;

/** Watches of the test's own, which nobody tells or calls but the test. */
@IntegrationTest
@TestPropertySource(properties = "millpond.worker.slots=0")
@Timeout(60)
class WatchesIT {

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration LONG = Duration.ofSeconds(60);

  @Autowired private JdbcClient jdbc;
  @Autowired private DataSource dataSource;
  @LocalServerPort private int port;

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final List<Object> told = Collections.synchronizedList(new ArrayList<>());

  /** How often the watches asked the database. */
  private final AtomicInteger statements = new AtomicInteger();

  private ApiClient api;
  private Watches watches;
  private UUID id;

  @BeforeEach
  void submit() throws IOException {
    api = new ApiClient(URI.create("http://127.0.0.1:" + port));
    DataSource counting =
        new DelegatingDataSource(dataSource) {
          @Override
          public Connection getConnection() throws SQLException {
            statements.incrementAndGet();
            return super.getConnection();
          }
        };
    watches = new Watches(new JobSql(JdbcClient.create(counting)), told::add, meters);
    id = UUID.fromString(api.submit("watched", "{\"type\": \"demo.noop\"}"));
  }

  private Job job() {
    return new JobSql(jdbc).find(id).orElseThrow();
  }

  private CompletableFuture<Optional<Job>> waiting() {
    int seen = job().version();
    return watches.await(id, job -> job.version() != seen, LONG);
  }

  private int change() {
    jdbc.sql("update ready set version = version + 1 where id = :id").param("id", id).update();
    return job().version();
  }

  private static void assertVersion(CompletableFuture<Optional<Job>> answer, int version) {
    assertThat(answer).succeedsWithin(SOON);
    assertThat(answer.resultNow().orElseThrow().version()).isEqualTo(version);
  }

  private double watchers() {
    return meters.get("millpond.watchers").gauge().value();
  }

  @Test
  void whoIsToldLooksAgain() {
    CompletableFuture<Optional<Job>> answer = waiting();
    int version = change();
    watches.changed(UUID.randomUUID());
    assertThat(answer.isDone()).as("another job's change").isFalse();
    watches.changed(id);
    assertVersion(answer, version);
  }

  @Test
  void whatAnotherNodeTellsIsLookedAt() {
    CompletableFuture<Optional<Job>> answer = waiting();
    assertThat(told).as("the others are asked to tell").contains(new JobsWatched());
    int version = change();
    watches.hint(id);
    assertVersion(answer, version);
  }

  @Test
  void othersAreToldOnlyWhileTheyWatch() {
    watches.changed(id);
    assertThat(told).isEmpty();
    watches.othersWatch();
    watches.changed(id);
    assertThat(told).containsExactly(new JobChanged(id));
  }

  @Test
  void whatNobodyToldIsFound() {
    CompletableFuture<Optional<Job>> answer = waiting();
    watches.look();
    assertThat(answer.isDone()).as("nothing has changed").isFalse();
    int version = change();
    watches.look();
    assertVersion(answer, version);
  }

  @Test
  void aWaitEndsWithTheJobAsItIs() {
    int version = job().version();
    assertVersion(watches.await(id, job -> false, Duration.ofMillis(50)), version);
    assertVersion(watches.await(id, job -> true, LONG), version);
    assertThat(watches.await(UUID.randomUUID(), job -> false, LONG))
        .succeedsWithin(SOON)
        .isEqualTo(Optional.empty());
    await().atMost(SOON).until(() -> watchers() == 0);
  }

  @Test
  void oneStatementReadsWhatHasChangedHoweverManyWatchIt() throws IOException {
    List<UUID> ids =
        api.submitAll("watched", Collections.nCopies(50, "{\"type\": \"demo.noop\"}")).stream()
            .map(UUID::fromString)
            .toList();
    List<CompletableFuture<Optional<Job>>> all = new ArrayList<>();
    for (int n = 0; n < 1_000; n++) {
      all.add(watches.await(ids.get(n % 50), job -> job.version() > 1, LONG));
    }
    jdbc.sql("update ready set version = version + 1 where id = any(:ids)")
        .param("ids", ids.toArray(UUID[]::new))
        .update();
    statements.set(0);
    watches.look();
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    assertThat(statements.get()).as("versions, and the jobs").isEqualTo(2);
  }

  @Test
  void fiveThousandWaitAndAllAreAnsweredAtTheStop() {
    int most = 5_000;
    List<CompletableFuture<Optional<Job>>> all = new ArrayList<>();
    for (int n = 0; n < most; n++) {
      assertThat(watches.takesMore()).isTrue();
      all.add(watches.await(id, job -> false, LONG));
    }
    assertThat(watches.takesMore()).isFalse();
    assertThat(watchers()).isEqualTo(most);
    statements.set(0);
    watches.stop();
    for (CompletableFuture<Optional<Job>> each : all) {
      assertThat(each).succeedsWithin(SOON);
    }
    assertThat(statements.get()).as("not a crowd").isLessThan(10);
    await().atMost(SOON).until(() -> watchers() == 0);
    assertThat(watches.takesMore()).as("it stops").isFalse();
  }
}
