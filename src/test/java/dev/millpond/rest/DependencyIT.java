package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.dependency.Dependencies;
import dev.millpond.dependency.Link;
import dev.millpond.job.Predecessor;
import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

/** Jobs that wait for others: chains, groups, chords, and what becomes of them. */
class DependencyIT extends WholeApi {

  private static final String FAILS =
      "\"type\": \"demo.fail\", \"payload\": {\"times\": 1, \"permanent\": true}";

  /** Less than the sweep that finds what nobody was told of. */
  private static final Duration AT_ONCE = Duration.ofSeconds(3);

  @Autowired private JdbcClient jdbc;
  @Autowired private DataSource database;
  @Autowired private TransactionTemplate transaction;
  @Autowired private Dependencies dependencies;
  @Autowired private Held held;

  private String after(String... ids) {
    return after(List.of(ids), "");
  }

  private static String after(List<String> ids, String more) {
    return "{\"type\": \"demo.noop\", \"dependsOn\": %s%s}".formatted(quoted(ids), more);
  }

  private static String quoted(List<String> ids) {
    return ids.stream().map(id -> "\"" + id + "\"").collect(Collectors.joining(",", "[", "]"));
  }

  private Answer batch(String more, String... jobs) throws IOException {
    return post(
        jobsOfTheQueue() + "/batch", "{\"jobs\": [" + String.join(",", jobs) + "]" + more + "}");
  }

  private List<String> accepted(String... jobs) throws IOException {
    Answer answer = batch("", jobs);
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    return answer.json().path("ids").valueStream().map(JsonNode::asString).toList();
  }

  private static String named(String ref, String... dependsOn) {
    return "{\"type\": \"demo.noop\", \"ref\": \"%s\", \"dependsOn\": %s}"
        .formatted(ref, quoted(List.of(dependsOn)));
  }

  private JsonNode job(String id) throws IOException {
    return get("/v1/jobs/" + id).json();
  }

  private static Instant instant(JsonNode job, String field) {
    return Instant.parse(job.path(field).asString());
  }

  @Test
  void aJobIsBlockedUntilAllThatItDependsOnHaveSucceeded() throws IOException {
    String first = submit(HELD);
    String second = submit(HELD);
    await(first, "running");
    await(second, "running");
    Answer answer = post(jobsOfTheQueue(), after(second, first));
    assertThat(answer.status()).isEqualTo(202);
    String id = answer.json().path("id").asString();
    assertThat(answer.json().path("state").asString()).isEqualTo("blocked");
    JsonNode blocked = job(id);
    assertThat(blocked.path("state").asString()).isEqualTo("blocked");
    assertThat(blocked.path("reason").asString()).isEqualTo("dependency");
    assertThat(blocked.path("dependsOn").toString()).isEqualTo(quoted(List.of(second, first)));
    assertThat(blocked.path("onDependencyFailure").asString()).isEqualTo("cancel");
    JsonNode depth = get("/v1/queues/" + queue).json().path("depth");
    assertThat(depth.path("blocked").asInt()).isEqualTo(1);
    assertThat(depth.path("total").asInt()).isEqualTo(1);
    assertThat(ids(get("/v1/jobs?state=blocked&queue=" + queue).json().path("items")))
        .containsExactly(id);
    held.release(first);
    await(first, "succeeded");
    assertThat(job(id).path("state").asString()).isEqualTo("blocked");
    held.release(second);
    assertThat(instant(await(id, "succeeded"), "startedAt"))
        .isAfterOrEqualTo(instant(job(second), "finishedAt"));
  }

  @Test
  void aChainRunsInItsOrderAndAtOnce() throws IOException {
    int length = 300;
    String[] jobs =
        IntStream.range(0, length)
            .mapToObj(n -> n == 0 ? named("r0") : named("r" + n, "r" + (n - 1)))
            .toArray(String[]::new);
    long begin = System.nanoTime();
    List<String> chain = accepted(jobs);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> job(chain.getLast()).path("state").asString().equals("succeeded"));
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(60));
    assertThat(
            jdbc.sql(
                    """
                    select count(*)
                    from dependency join finished after on after.id = dependency.id
                    join finished before on before.id = dependency.predecessor
                    where after.started_at < before.finished_at and dependency.id = any(:ids::uuid[])
                    """)
                .param("ids", "{" + String.join(",", chain) + "}")
                .query(Integer.class)
                .single())
        .isZero();
  }

  @Test
  void aChordRunsWhenAllOfItsGroupAreDoneWhateverTheirOrderInTheBatch() throws IOException {
    String[] group = IntStream.range(0, 200).mapToObj(n -> "part-" + n).toArray(String[]::new);
    List<String> ids =
        accepted(
            Stream.concat(
                    Stream.of(named("whole", group)), Stream.of(group).map(part -> named(part)))
                .toArray(String[]::new));
    JsonNode whole = await(ids.getFirst(), "succeeded");
    assertThat(whole.path("dependsOn")).hasSize(200);
    JsonNode graph = get("/v1/jobs/" + ids.get(7) + "/graph").json();
    assertThat(graph.path("nodes")).hasSize(2);
    assertThat(get("/v1/jobs/" + ids.getFirst() + "/graph").json().path("edges")).hasSize(200);
  }

  @ParameterizedTest
  @CsvSource({"cancel, cancelled", "run, succeeded"})
  void theJobSaysWhatAFailureOfAPredecessorMeans(String policy, String state) throws IOException {
    String fails = submit("{" + FAILS + ", \"delay\": \"PT0.3S\"}");
    String id = submit(after(List.of(fails), ", \"onDependencyFailure\": \"" + policy + "\""));
    String next = submit(after(id));
    JsonNode ended = await(id, state);
    assertThat(ended.path("onDependencyFailure").asString()).isEqualTo(policy);
    await(next, state);
    if (policy.equals("cancel")) {
      assertThat(ended.path("error").path("type").asString()).isEqualTo("dependency-failed");
      assertThat(ended.path("error").path("message").asString()).contains(fails, "failed");
      assertThat(job(next).path("error").path("message").asString()).contains(id, "was cancelled");
      // Sent back, it waits for nobody.
      assertThat(send("POST", "/v1/jobs/" + id + "/retry").status()).isEqualTo(200);
      assertThat(await(id, "succeeded").path("error").isNull()).isTrue();
      assertThat(job(next).path("state").asString()).isEqualTo("cancelled");
    }
  }

  @Test
  void aPredecessorThatHasEndedIsWaitedForNoMore() throws IOException {
    String done = submit(NOOP);
    await(done, "succeeded");
    assertThat(post(jobsOfTheQueue(), after(done)).json().path("state").asString())
        .isEqualTo("queued");
    String failed = submit("{" + FAILS + "}");
    await(failed, "failed");
    String id = submit(after(done, failed));
    assertThat(await(id, "cancelled").path("error").path("message").asString()).contains(failed);
    await(submit(after(List.of(failed, done), ", \"onDependencyFailure\": \"run\"")), "succeeded");
    String later = submit(after(List.of(done), ", \"delay\": \"PT1H\""));
    assertThat(job(later).path("state").asString()).isEqualTo("scheduled");
  }

  @Test
  void aLongChainIsCancelledAtOnce() throws IOException {
    String[] jobs =
        IntStream.range(0, 900)
            .mapToObj(n -> n == 0 ? named("r0") : named("r" + n, "r" + (n - 1)))
            .toArray(String[]::new);
    jobs[0] = jobs[0].replace("\"type\": \"demo.noop\"", "\"type\": \"test.held\"");
    List<String> chain = accepted(jobs);
    String survivor = submit(after(List.of(chain.get(500)), ", \"onDependencyFailure\": \"run\""));
    send("POST", "/v1/jobs/" + chain.get(1) + "/cancel");
    Awaitility.await()
        .atMost(AT_ONCE)
        .until(() -> job(chain.getLast()).path("state").asString().equals("cancelled"));
    await(survivor, "succeeded");
    held.release(chain.getFirst());
    await(chain.getFirst(), "succeeded");
  }

  @Test
  void aJobWithATimeOfItsOwnWaitsForThatToo() throws IOException {
    String first = submit(HELD);
    String id = submit(after(List.of(first), ", \"delay\": \"PT1H\""));
    assertThat(job(id).path("state").asString()).isEqualTo("blocked");
    held.release(first);
    JsonNode scheduled = await(id, "scheduled");
    assertThat(scheduled.path("reason").asString()).isEqualTo("time");
    assertThat(instant(scheduled, "runAt")).isAfter(Instant.now().plusSeconds(3_000));
    assertThat(send("POST", "/v1/jobs/" + id + "/retry").status()).isEqualTo(200);
    await(id, "succeeded");
  }

  @Test
  void aBlockedJobCannotBeHurriedButCancelledOrExpireAndItsDependentsEndWithIt()
      throws IOException {
    String first = submit(HELD);
    String id = submit(after(first));
    String next = submit(after(id));
    Answer hurried = send("POST", "/v1/jobs/" + id + "/retry");
    assertThat(hurried.status()).isEqualTo(409);
    assertThat(hurried.problem()).isEqualTo("job-blocked");
    assertThat(send("POST", "/v1/jobs/" + id + "/cancel").status()).isEqualTo(200);
    await(next, "cancelled");
    String late =
        submit(
            after(List.of(first), ", \"startBy\": \"%s\"".formatted(Instant.now().plusSeconds(2))));
    String afterLate = submit(after(late));
    await(late, "expired");
    assertThat(await(afterLate, "cancelled").path("error").path("message").asString())
        .contains(late, "expired");
    // What was still waited for when it was cancelled is told nobody.
    assertThat(send("POST", "/v1/jobs/" + id + "/retry").status()).isEqualTo(200);
    await(id, "succeeded");
    held.release(first);
    await(first, "succeeded");
  }

  @Test
  void aPredecessorThatIsNotThereIsNamed() throws IOException {
    String done = submit(NOOP);
    await(done, "succeeded");
    String gone = submit(NOOP);
    await(gone, "succeeded");
    send("DELETE", "/v1/jobs/" + gone);
    String job = after(done, gone);
    Answer single = post(jobsOfTheQueue(), job);
    assertThat(single.status()).isEqualTo(400);
    assertThat(single.json().path("errors").toString())
        .contains("\"pointer\":\"/dependsOn/1\"")
        .contains("names no job");
    Answer whole = batch("", NOOP, job);
    assertThat(whole.status()).isEqualTo(400);
    assertThat(whole.body()).contains("\"pointer\":\"/jobs/1/dependsOn/1\"");
    String[] parts = {
      job.replace("{", "{\"ref\": \"a\","), named("b", "a"), named("c"), named("d", "c")
    };
    Answer each =
        post(
            jobsOfTheQueue() + "/batch",
            "{\"atomic\": false, \"jobs\": [" + String.join(",", parts) + "]}",
            "Idempotency-Key",
            queue);
    assertThat(each.json().path("items").valueStream().map(item -> item.path("status").asInt()))
        .containsExactly(400, 400, 202, 202);
    assertThat(each.json().path("items").path(1).toString()).contains("/jobs/1/dependsOn/0");
    Answer again =
        post(
            jobsOfTheQueue() + "/batch",
            "{\"atomic\": false, \"jobs\": [" + String.join(",", parts) + "]}",
            "Idempotency-Key",
            queue);
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(again.json().path("items").path(3).path("id"))
        .isEqualTo(each.json().path("items").path(3).path("id"));
    await(again.json().path("items").path(3).path("id").asString(), "succeeded");
  }

  @Test
  void aRepeatedRequestIsAnsweredThoughItsPredecessorIsGone() throws IOException {
    String first = submit(NOOP);
    await(first, "succeeded");
    String job = after(first);
    Answer answer = post(jobsOfTheQueue(), job, "Idempotency-Key", "once-" + queue);
    await(answer.json().path("id").asString(), "succeeded");
    send("DELETE", "/v1/jobs/" + first);
    Answer again = post(jobsOfTheQueue(), job, "Idempotency-Key", "once-" + queue);
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.json().path("id")).isEqualTo(answer.json().path("id"));
    JsonNode nodes = get("/v1/jobs/" + again.json().path("id").asString() + "/graph").json();
    assertThat(nodes.path("nodes").toString())
        .contains("{\"id\":\"" + first + "\",\"type\":null,\"state\":null,\"queue\":null}");
  }

  @Test
  void aDependentJobMayHaveAUniqueKey() throws IOException {
    String first = submit(HELD);
    String job = after(List.of(first), ", \"unique\": {\"key\": \"k\"}");
    String id = submit(job);
    Answer same = post(jobsOfTheQueue(), job);
    assertThat(same.status()).as(same.body()).isEqualTo(200);
    assertThat(same.json().path("id").asString()).isEqualTo(id);
    assertThat(same.json().path("state").asString()).isEqualTo("blocked");
    String reject =
        after(List.of(first), ", \"unique\": {\"key\": \"k\", \"onConflict\": \"reject\"}");
    assertThat(post(jobsOfTheQueue(), reject).problem()).isEqualTo("duplicate-job");
    held.release(first);
    await(id, "succeeded");
    assertThat(get("/v1/jobs/" + first + "/graph").json().path("edges")).hasSize(1);
  }

  @Test
  void theGraphHasBothDirectionsAllTheWay() throws IOException {
    List<String> ids =
        accepted(
            named("a"),
            named("b", "a"),
            named("c", "a"),
            named("d", "b", "c"),
            named("e", "d"),
            named("x"));
    JsonNode graph = get("/v1/jobs/" + ids.get(3) + "/graph").json();
    assertThat(ids(graph.path("nodes"))).containsExactlyElementsOf(ids.subList(0, 5));
    assertThat(graph.path("edges")).hasSize(5);
    assertThat(graph.path("truncated").asBoolean()).isFalse();
    JsonNode part = get("/v1/jobs/" + ids.get(1) + "/graph").json();
    assertThat(ids(part.path("nodes")))
        .containsExactly(ids.get(0), ids.get(1), ids.get(3), ids.get(4));
    await(ids.getLast(), "succeeded");
    await(ids.get(4), "succeeded");
  }

  @Test
  void whoDependsReadsTheResultsInTheOrderNamed() throws IOException {
    List<String> ids =
        accepted(
            "{\"type\": \"demo.primes\", \"payload\": {\"upTo\": 100}, \"ref\": \"a\"}",
            "{" + FAILS + ", \"ref\": \"b\"}",
            "{\"type\": \"demo.noop\", \"dependsOn\": [\"b\", \"a\"], \"onDependencyFailure\":"
                + " \"run\"}");
    await(ids.getLast(), "succeeded");
    List<Predecessor> before = dependencies.predecessors(UUID.fromString(ids.getLast())).toList();
    assertThat(before)
        .extracting(Predecessor::id)
        .hasToString("[" + ids.get(1) + ", " + ids.get(0) + "]");
    assertThat(before.getFirst().result()).isNull();
    assertThat(before.getLast().result()).contains("25");
  }

  @Test
  void aSubmitThatMeetsTheEndOfItsPredecessorWaitsForThat() throws Exception {
    put("/v1/queues/" + queue, "{\"workers\": \"pull\"}");
    String first = submit(NOOP);
    UUID id = UUID.fromString(first);
    CompletableFuture<Answer> submitted;
    try (Connection winner = database.getConnection()) {
      winner.setAutoCommit(false);
      // The end of the job, not committed.
      execute(winner, "delete from ready where id = '" + id + "'");
      execute(
          winner,
          """
          insert into finished (id, finished_at, version, attempt, recoveries, max_attempts, state)
          values ('%s', now(), 2, 0, 0, 5, 'succeeded')
          """
              .formatted(id));
      execute(
          winner,
          "insert into room select queue, account, tenant, -1, -1, 0 from room where queue = '"
              + queue
              + "' limit 1");
      submitted = CompletableFuture.supplyAsync(() -> submitted(after(first)));
      awaitLockWaiter();
      winner.commit();
    }
    Answer answer = submitted.get(10, TimeUnit.SECONDS);
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(answer.json().path("state").asString()).isEqualTo("queued");
    send("POST", "/v1/jobs/" + answer.json().path("id").asString() + "/cancel");
  }

  private Answer submitted(String job) {
    try {
      return post(jobsOfTheQueue(), job);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private void awaitLockWaiter() {
    Awaitility.await()
        .atMost(SOON)
        .until(
            () ->
                jdbc.sql("select count(*) from pg_locks where not granted")
                        .query(Integer.class)
                        .single()
                    > 0);
  }

  @Test
  void anEndThatMeetsTheSubmitOfADependentJobWaitsForThatAndTellsIt() throws IOException {
    String first = submit(HELD);
    await(first, "running");
    UUID predecessor = UUID.fromString(first);
    String dependent = submit(LATER);
    UUID id = UUID.fromString(dependent);
    transaction.executeWithoutResult(
        _ -> {
          // The submit, not committed.
          assertThat(dependencies.hold(List.of(predecessor))).isPresent();
          dependencies.link(List.of(new Link(id, predecessor, 0, false, null)));
          jdbc.sql("update delayed set missing = 1, due_at = '9999-12-31Z' where id = ?")
              .param(id)
              .update();
          held.release(first);
          awaitLockWaiter();
        });
    await(first, "succeeded");
    Awaitility.await()
        .atMost(AT_ONCE)
        .until(() -> job(dependent).path("state").asString().equals("scheduled"));
  }

  @Test
  void noEndIsMissedHoweverManyMeetTheirDependents() throws Exception {
    List<CompletableFuture<String>> dependents = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      String first = submit(NOOP);
      dependents.add(
          CompletableFuture.supplyAsync(
              () -> submitted(after(first)).json().path("id").asString()));
    }
    long begin = System.nanoTime();
    for (CompletableFuture<String> dependent : dependents) {
      await(dependent.get(20, TimeUnit.SECONDS), "succeeded");
    }
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(SOON);
  }
}
