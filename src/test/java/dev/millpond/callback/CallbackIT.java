package dev.millpond.callback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import com.standardwebhooks.Webhook;
import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.Redrives;
import dev.millpond.admission.Redrives.Redrive;
import dev.millpond.admission.Submission;
import dev.millpond.callback.Callback.Attempt;
import dev.millpond.callback.Callback.State;
import dev.millpond.callback.Receiver.Got;
import dev.millpond.handler.Webhooks.Answer;
import dev.millpond.job.Job;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.lease.Claim;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.Workers;
import dev.millpond.testing.ApiClient;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Program;
import dev.millpond.testing.Sample;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;
import tools.jackson.databind.JsonNode;

/** Ends of jobs, each told to a target on the loopback interface. */
@IntegrationTest
@TestPropertySource(
    properties = {
      "millpond.http.allow=127.0.0.1,localhost",
      "millpond.http.secrets=" + CallbackIT.SECRET,
      "millpond.lease.duration=PT5S",
      "millpond.lease.sweep=PT0.5S"
    })
@Timeout(60)
class CallbackIT {

  static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Sample FOREVER = Sample.of("demo.sleep", "{\"duration\":\"PT1H\"}");
  private static final AtomicInteger names = new AtomicInteger();
  private static Receiver receiver;

  @Autowired private Admission admission;
  @Autowired private Redrives redrives;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private Queues queues;
  @Autowired private Callbacks callbacks;
  @Autowired private CallbackSql sql;
  @Autowired private CallbackLoop loop;
  @Autowired private JdbcClient jdbc;

  private final String name = "callback-" + names.incrementAndGet();
  private final QueueName queue = new QueueName(name);

  @BeforeAll
  static void open() throws IOException {
    receiver = new Receiver();
  }

  @AfterAll
  static void close() {
    receiver.close();
  }

  private UUID submit(Sample sample, String url) {
    Submission s = sample.submission();
    Submission job =
        new Submission(
            s.type(),
            s.payload(),
            s.priority(),
            s.delay(),
            s.runAt(),
            s.startBy(),
            s.timeout(),
            s.retry(),
            s.tenant(),
            s.labels(),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            url,
            null,
            null,
            s.dependsOn());
    Decision decision = admission.admit(queue, List.of(job), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  private Job job(UUID id) {
    return jobs.find(id).orElseThrow();
  }

  private Job reach(UUID id, JobState state) {
    return await().atMost(SOON).until(() -> job(id), job -> job.state() == state);
  }

  private Callback callback(UUID id) {
    return callbacks.find(job(id)).orElseThrow();
  }

  private Callback reach(UUID id, State state) {
    return await().atMost(SOON).until(() -> callback(id), found -> found.state() == state);
  }

  private Callback attempted(UUID id, int times) {
    return await()
        .atMost(SOON)
        .until(() -> callback(id), found -> found.attempts().size() >= times);
  }

  @Test
  void theTargetIsToldOnceOfTheJobAndCanCheckTheSignature() {
    String path = "/204/" + name;
    UUID id = submit(Sample.of("demo.primes", "{\"upTo\":100}"), receiver.url(path));
    Callback told = reach(id, State.DELIVERED);

    assertThat(receiver.calls(path)).hasSize(1);
    Got got = receiver.calls(path).getFirst();
    Job job = job(id);
    assertThatCode(() -> new Webhook(SECRET).verify(got.body(), lowerCase(got)))
        .doesNotThrowAnyException();
    assertThat(got.header("Webhook-id")).isEqualTo(id + "-" + job.version());
    assertThat(got.header("Content-type")).isEqualTo("application/json");
    assertThat(got.header("Traceparent")).contains("0af7651916cd43dd8448eb211c80319c");
    JsonNode event = ApiClient.JSON.readTree(got.body());
    assertThat(event.path("type").asString()).isEqualTo("job.finished");
    assertThat(Instant.parse(event.path("timestamp").asString())).isEqualTo(job.finishedAt());
    assertThat(event.path("data").path("id").asString()).isEqualTo(id.toString());
    assertThat(event.path("data").path("state").asString()).isEqualTo("succeeded");
    assertThat(event.path("data").path("payload").path("upTo").asInt()).isEqualTo(100);
    assertThat(event.path("data").path("result").isMissingNode()).isFalse();
    assertThat(told.nextAttemptAt()).isNull();
    assertThat(told.attempts())
        .singleElement()
        .satisfies(
            call -> {
              assertThat(call.number()).isEqualTo(1);
              assertThat(call.status()).isEqualTo(204);
              assertThat(call.error()).isNull();
              assertThat(call.startedAt()).isBetween(job.finishedAt(), call.finishedAt());
            });
  }

  private static Map<String, List<String>> lowerCase(Got got) {
    return Map.of(
        "webhook-id", List.of(got.header("Webhook-id")),
        "webhook-timestamp", List.of(got.header("Webhook-timestamp")),
        "webhook-signature", List.of(got.header("Webhook-signature")));
  }

  /** The ways in which a job ends. */
  @SuppressWarnings("ImmutableEnumChecker") // the ways are stateless
  enum End {
    SUCCESS(Sample.noop(), "succeeded", (it, id) -> {}),
    FAILURE(Sample.of("demo.fail", "{\"times\":1,\"permanent\":true}"), "failed", (it, id) -> {}),
    CANCEL_WHILE_IT_WAITS(
        Sample.noop().delay(Duration.ofHours(1)), "cancelled", (it, id) -> it.leases.cancel(id)),
    CANCEL_WHILE_IT_RUNS(
        FOREVER,
        "cancelled",
        (it, id) -> {
          it.reach(id, JobState.RUNNING);
          it.leases.cancel(id);
        }),
    EXPIRY_BY_THE_CLAIM(
        Sample.noop().startBy(Instant.EPOCH.plusSeconds(1)), "expired", (it, id) -> {}),
    EXPIRY_WHILE_IT_WAITS(
        Sample.noop().delay(Duration.ofHours(1)),
        "expired",
        (it, id) ->
            it.jdbc.sql("update delayed set start_by = now() where id = ?").param(id).update()),
    LOSS_OF_ITS_WORKER(
        FOREVER,
        "failed",
        (it, id) -> {
          it.reach(id, JobState.RUNNING);
          it.jdbc
              .sql(
                  """
                  update lease set token = gen_random_uuid(), expires_at = now() - interval '1 s', recoveries = 2
                  where id = ?
                  """)
              .param(id)
              .update();
        });

    private final Sample job;
    private final String state;
    private final BiConsumer<CallbackIT, UUID> way;

    End(Sample job, String state, BiConsumer<CallbackIT, UUID> way) {
      this.job = job;
      this.state = state;
      this.way = way;
    }
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void theTargetIsToldHoweverTheJobEnds(End end) {
    String path = "/200/" + name;
    UUID id = submit(end.job, receiver.url(path));
    end.way.accept(this, id);
    reach(id, State.DELIVERED);
    assertThat(receiver.calls(path)).hasSize(1);
    assertThat(
            ApiClient.JSON
                .readTree(receiver.calls(path).getFirst().body())
                .path("data")
                .path("state")
                .asString())
        .isEqualTo(end.state);
  }

  private void leaveToPullWorkers() {
    queues.change(
        queue,
        new QueueChange(
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Set<>(Workers.PULL),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
  }

  @Test
  void theEndOfAPullWorkersJobIsToldToo() {
    leaveToPullWorkers();
    UUID id = submit(Sample.of("resize", null), receiver.url("/204/" + name));
    assertThat(callback(id).state()).isEqualTo(State.WAITING);
    Lease lease =
        leases.claim(new Claim(queue, "w1", 1, Duration.ofSeconds(30), Set.of())).getFirst();
    leases.settle(lease, new Outcome.Succeeded(null)).join();
    reach(id, State.DELIVERED);
  }

  @Test
  void whatFailsIsToldAgainInTheSameWords() {
    String path = "/503,404,204/" + name;
    UUID id = submit(Sample.noop(), receiver.url(path));
    Callback told = reach(id, State.DELIVERED);
    assertThat(told.attempts()).extracting(Attempt::status).containsExactly(503, 404, 204);
    assertThat(told.attempts().getFirst().error())
        .returns("http-status", error -> error == null ? "" : error.type());
    List<Got> calls = receiver.calls(path);
    assertThat(calls).extracting(Got::body).containsOnly(calls.getFirst().body());
    assertThat(calls)
        .extracting(got -> got.header("Webhook-id"))
        .containsOnly(calls.getFirst().header("Webhook-id"));
    assertThat(calls)
        .extracting(got -> got.header("Millpond-attempt"))
        .containsExactly("1", "2", "3");
  }

  @Test
  void theTargetSaysWhenItWantsToBeCalledAgain() {
    UUID id = submit(Sample.noop(), receiver.url("/503/" + name + "/later"));
    Callback pending = attempted(id, 1);
    assertThat(pending.state()).isEqualTo(State.PENDING);
    assertThat(pending.nextAttemptAt())
        .isBetween(
            pending.attempts().getFirst().finishedAt().plusSeconds(3_590),
            pending.attempts().getFirst().finishedAt().plusSeconds(3_610));
  }

  @Test
  void aTargetThatIsGoneIsNotCalledAgain() {
    UUID id = submit(Sample.noop(), receiver.url("/410/" + name));
    assertThat(reach(id, State.FAILED).attempts()).extracting(Attempt::status).containsExactly(410);
  }

  @Test
  void aTargetInsideIsNotCalledAtAll() {
    UUID id = submit(Sample.noop(), receiver.url("127.0.0.2", "/204/" + name));
    assertThat(reach(id, State.FAILED).attempts())
        .singleElement()
        .returns("address-refused", call -> call.error() == null ? "" : call.error().type())
        .returns(null, Attempt::status);
  }

  @Test
  void aTargetThatKeepsFailingIsGivenUpAfterItsLastAttempt() {
    UUID id = submit(Sample.noop(), receiver.url("/503/" + name + "/later"));
    attempted(id, 1);
    jdbc.sql("update callback_due set attempt = ?, due_at = now() where id = ?")
        .params(List.of(Caller.RETRY.maxAttempts() - 1, id))
        .update();
    assertThat(reach(id, State.FAILED).attempts()).extracting(Attempt::number).contains(12);
  }

  @Test
  void theCallOfANodeThatDiedIsMadeByAnotherAndItsOwnWordComesTooLate() {
    String path = "/503,204/" + name + "/later";
    UUID id = submit(Sample.noop(), receiver.url(path));
    attempted(id, 1);
    UUID token = UUID.randomUUID();
    jdbc.sql(
            """
            update callback_due
            set token = ?, attempt = 2, started_at = now() - interval '5 s', due_at = now() + interval '1 s'
            where id = ?
            """)
        .params(List.of(token, id))
        .update();
    assertThat(callback(id).nextAttemptAt()).as("one is being made").isNull();
    assertThat(reach(id, State.DELIVERED).attempts())
        .extracting(Attempt::number)
        .containsExactly(1, 3);
    Due late = new Due(id, token, job(id).version(), 2, "", null);
    assertThat(sql.end(late, new Answer(500, null, false, null))).isFalse();
    assertThat(sql.retry(late, new Answer(500, null, false, null), Duration.ZERO)).isFalse();
    assertThat(callback(id).attempts()).hasSize(2);
  }

  @Test
  void aJobThatIsSentBackIsToldOfAtEachEndUnderAnotherId() {
    String path = "/204/" + name;
    UUID id = submit(Sample.noop(), receiver.url(path));
    reach(id, State.DELIVERED);
    assertThat(redrives.redrive(job(id))).isInstanceOf(Redrive.Done.class);
    await().atMost(SOON).until(() -> receiver.calls(path).size() == 2);
    assertThat(reach(id, State.DELIVERED).attempts()).hasSize(1);
    assertThat(receiver.calls(path))
        .extracting(got -> got.header("Webhook-id"))
        .doesNotHaveDuplicates();
  }

  @Test
  void whatWasNotToldBeforeAJobIsSentBackIsNotToldAnyMore() {
    UUID id = submit(Sample.noop(), receiver.url("/503/" + name + "/later"));
    attempted(id, 1);
    leaveToPullWorkers();
    redrives.redrive(job(id));
    assertThat(callback(id).state()).isEqualTo(State.WAITING);
    assertThat(rows("callback_due", id)).isZero();
    leases.cancel(id);
    assertThat(attempted(id, 1).attempts()).hasSize(1);
  }

  @Test
  void aTargetThatHangsDoesNotHoldUpTheOthers() {
    for (int i = 0; i < 40; i++) {
      submit(Sample.noop(), receiver.url("/hang/" + name));
    }
    await().atMost(SOON).until(() -> receiver.calls("/hang/" + name).size() >= 8);
    UUID id = submit(Sample.noop(), receiver.url("localhost", "/204/" + name));
    reach(id, State.DELIVERED);
    assertThat(
            jdbc.sql("select count(*) from callback_due where token is not null")
                .query(Integer.class)
                .single())
        .isLessThanOrEqualTo(8);
    forgetThoseThatHang();
  }

  @Test
  void theStopGivesBackACallThatIsNotOver() {
    String path = "/hang/" + name;
    UUID id = submit(Sample.noop(), receiver.url(path));
    await().atMost(SOON).until(() -> !receiver.calls(path).isEmpty());
    loop.stop();
    Callback pending = callback(id);
    assertThat(pending.state()).isEqualTo(State.PENDING);
    assertThat(pending.nextAttemptAt()).as("as soon as somebody can").isBefore(Instant.now());
    assertThat(pending.attempts()).as("it counts as none").isEmpty();
    loop.start();
    await().atMost(SOON).until(() -> receiver.calls(path).size() == 2);
    assertThat(receiver.calls(path).getLast().header("Millpond-attempt")).isEqualTo("1");
    forgetThoseThatHang();
  }

  private void forgetThoseThatHang() {
    jdbc.sql(
            "delete from callback_due where id in (select id from callback where url like"
                + " '%/hang/%')")
        .update();
    jdbc.sql("delete from callback where url like '%/hang/%'").update();
  }

  @Test
  void aJobThatIsRemovedLeavesNothing() {
    UUID id = submit(Sample.noop(), receiver.url("/503/" + name + "/later"));
    attempted(id, 1);
    assertThat(leases.remove(id)).isTrue();
    assertThat(rows("callback", id) + rows("callback_due", id) + rows("callback_attempt", id))
        .isZero();
  }

  @ParameterizedTest
  @CsvSource({SECRET + ", 204", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDbuS/sd1Xuz8=, 401"})
  void theExampleTakesWhatIsSignedWithItsSecret(String secret, int status) throws Exception {
    Skipped.unless(Program.exists("python3"), "no python3 here, so receiver.py was not run");
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Process example =
        new ProcessBuilder("python3", "http-examples/receiver.py", "" + port, secret)
            .redirectErrorStream(true)
            .redirectOutput(Path.of("target", "receiver.py.log").toFile())
            .start();
    try {
      UUID id = submit(Sample.noop(), "http://127.0.0.1:" + port + "/done");
      // Before it listens, its port refuses the call.
      await()
          .atMost(SOON)
          .until(() -> callback(id).attempts().stream().anyMatch(call -> call.status() != null));
      assertThat(callback(id).attempts().stream().map(Attempt::status).filter(Objects::nonNull))
          .contains(status);
    } finally {
      example.destroy();
      assertThat(example.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
  }

  private int rows(String table, UUID id) {
    return jdbc.sql("select count(*) from " + table + " where id = ?")
        .param(id)
        .query(Integer.class)
        .single();
  }
}
