package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.job.Outcome;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class AdmissionIT {

  private static final AtomicInteger queues = new AtomicInteger();

  @Autowired private Admission admission;
  @Autowired private Permits permits;
  @Autowired private Leases leases;
  @Autowired private Queues settings;
  @Autowired private JdbcClient jdbc;
  @Autowired private DataSource database;

  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void newQueue() {
    queue = new QueueName("admission-" + queues.incrementAndGet());
  }

  private Decision submit(int jobs, @Nullable RequestKey key) {
    return admission.admit(queue, Collections.nCopies(jobs, Sample.noop().submission()), key);
  }

  private static RequestKey key(String key, String body) {
    return RequestKey.of("POST /test", key, body.getBytes(StandardCharsets.UTF_8));
  }

  private void cap(int cap) {
    settings.change(
        queue,
        new QueueChange(
            new Setting.Set<>(cap),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
  }

  private int rows() {
    return jdbc.sql("select count(*) from job where queue = ?")
        .param(queue.value())
        .query(Integer.class)
        .single();
  }

  @Test
  void manyClientsNeverLiftTheDepthAboveTheCapAndFillItExactly() {
    cap(50);
    List<Decision> decisions = inParallel(200, () -> submit(1, null));
    assertThat(decisions).filteredOn(Decision.Accepted.class::isInstance).hasSize(50);
    assertThat(decisions).filteredOn(Decision.Full.class::isInstance).hasSize(150);
    assertThat(rows()).isEqualTo(50);
    assertThat(permits.depth(queue)).isEqualTo(50);
  }

  @Test
  void aClaimMakesRoomAndWhatComesBackTakesItWithoutBeingRefused() {
    cap(2);
    submit(2, null);
    Lease lease = leases.claim(queue, 1, false, Set.of()).getFirst();
    assertThat(submit(1, null)).isInstanceOf(Decision.Accepted.class);
    leases.settle(lease, new Outcome.Released(Duration.ZERO)).join();
    assertThat(permits.depth(queue)).isEqualTo(3);
    assertThat(submit(1, null)).isInstanceOf(Decision.Full.class);
  }

  @Test
  void aBatchIsAcceptedWholeOrNotAtAll() {
    cap(5);
    assertThat(submit(3, null)).isInstanceOf(Decision.Accepted.class);
    assertThat(submit(3, null)).isInstanceOf(Decision.Full.class);
    assertThat(submit(6, null)).isEqualTo(new Decision.BatchExceedsCap(5));
    assertThat(rows()).isEqualTo(3);
  }

  @Test
  void aRefusalSaysHowFullTheQueueIs() {
    cap(1);
    submit(1, null);
    Refusal refusal = ((Decision.Full) submit(1, null)).refusal();
    assertThat(refusal.depth()).isEqualTo(1);
    assertThat(refusal.cap()).isEqualTo(1);
    assertThat(refusal.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofMinutes(5));
  }

  @Test
  void theSameRequestWithTheSameKeyIsAcceptedOnce() {
    List<@Nullable UUID> first =
        ((Decision.Accepted) submit(3, key("a", "body")))
            .jobs().stream().<@Nullable UUID>map(j -> j.id()).toList();
    assertThat(submit(3, key("a", "body"))).isEqualTo(new Decision.Replayed(first, Set.of()));
    assertThat(submit(3, key("a", "other body"))).isEqualTo(new Decision.KeyReused());
    assertThat(rows()).isEqualTo(3);
    assertThat(permits.depth(queue)).isEqualTo(3);
  }

  @Test
  void fiftyAtOnceWithOneKeyMakeOneJob() {
    List<Decision> decisions = inParallel(50, () -> submit(1, key("race", "body")));
    assertThat(decisions).filteredOn(Decision.Accepted.class::isInstance).hasSize(1);
    assertThat(decisions).filteredOn(Decision.Replayed.class::isInstance).hasSize(49);
    assertThat(rows()).isEqualTo(1);
    assertThat(permits.depth(queue)).isEqualTo(1);
  }

  @Test
  void aKeyThatAnotherNodeIsCommittingIsWaitedForAndThenInFlight() throws Exception {
    RequestKey key = key("elsewhere", "body");
    try (Connection winner = database.getConnection()) {
      winner.setAutoCommit(false);
      try (PreparedStatement insert =
          winner.prepareStatement(
              "insert into idempotency_key (key, fingerprint, jobs) values (?, ?, '{}')")) {
        insert.setBytes(1, key.hash());
        insert.setBytes(2, key.fingerprint());
        insert.executeUpdate();
      }
      Decision loser = submit(1, key);
      assertThat(loser).isIn(new Decision.KeyInFlight(), new Decision.OutcomeUnknown());
      winner.rollback();
    }
  }

  @Test
  void oneUnwritableJobFailsAlone() {
    Sample unwritable = Sample.of("demo.noop", "{\"text\":\"a\u0000b\"}");
    CompletableFuture<Decision> good = CompletableFuture.supplyAsync(() -> submit(1, null));
    assertThatThrownBy(() -> admission.admit(queue, List.of(unwritable.submission()), null))
        .isInstanceOf(RuntimeException.class);
    assertThat(good.join()).isInstanceOf(Decision.Accepted.class);
    assertThat(rows()).isEqualTo(1);
    assertThat(permits.depth(queue)).isEqualTo(1);
  }

  private static List<Decision> inParallel(int times, Supplier<Decision> submit) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      return IntStream.range(0, times)
          .mapToObj(i -> CompletableFuture.supplyAsync(submit, threads))
          .toList()
          .stream()
          .map(CompletableFuture::join)
          .toList();
    }
  }
}
