package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.lease.AccountInDoubt;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import dev.millpond.lease.Node;
import dev.millpond.queue.JobsStarted;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

/** The room that nodes share, with another node played by its rows. */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class PermitsIT {

  private static final AtomicInteger queues = new AtomicInteger();

  @Autowired private Admission admission;
  @Autowired private Permits permits;
  @Autowired private Leases leases;
  @Autowired private Queues settings;
  @Autowired private Node node;
  @Autowired private ApplicationEventPublisher events;
  @Autowired private JdbcClient jdbc;

  private final UUID other = UUID.randomUUID();
  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void newQueue() {
    queue = new QueueName("permits-" + queues.incrementAndGet());
    settings.change(
        queue,
        new QueueChange(
            new Setting.Set<>(50),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
  }

  @AfterEach
  void theOtherNodeLeaves() {
    jdbc.sql("delete from account where id = ?").param(other).update();
  }

  private void otherNodeHolds(int granted) {
    jdbc.sql(
            "insert into account (id, node, expires_at) values (?, 'other', now() + interval '5"
                + " s')")
        .param(other)
        .update();
    jdbc.sql("insert into room (queue, account, waiting, runnable, granted) values (?, ?, 0, 0, ?)")
        .param(queue.value())
        .param(other)
        .param(granted)
        .update();
  }

  private boolean submit(int jobs) {
    return admission.admit(queue, Collections.nCopies(jobs, Sample.noop().submission()), null)
        instanceof Decision.Accepted;
  }

  private int fill() {
    return fill(Sample.noop());
  }

  private int fill(Sample job) {
    int accepted = 0;
    while (admission.admit(queue, List.of(job.submission()), null) instanceof Decision.Accepted) {
      accepted++;
    }
    return accepted;
  }

  private int waiting() {
    return jdbc.sql("select coalesce(sum(waiting), 0) from room where queue = ?")
        .param(queue.value())
        .query(Integer.class)
        .single();
  }

  @Test
  void aFullQueueWhoseJobsWaitForTheirKeyDrainsWhileTheyStart() {
    Sample keyed = Sample.noop().concurrency("k", 1);
    assertThat(fill(keyed)).isEqualTo(50);
    List<Lease> first = new ArrayList<>();
    await("the first of the line may start")
        .until(() -> first.addAll(leases.claim(queue, 50, false, Set.of())));
    assertThat(fill(keyed)).isEqualTo(1);
    Refusal refusal = permits.refusal(queue, null).orElseThrow();
    assertThat(refusal.reason()).as("none may start at this moment").isNull();
  }

  @Test
  void aFullQueueOfJobsOfTheFutureSaysSo() {
    assertThat(fill(Sample.noop().delay(Duration.ofDays(1)))).isEqualTo(50);
    assertThat(permits.refusal(queue, null).orElseThrow().reason()).isEqualTo("scheduled");
  }

  @Test
  void whatAnotherNodeHoldsIsNotAdmittedHere() {
    otherNodeHolds(40);
    assertThat(fill()).isEqualTo(10);
    assertThat(waiting()).isEqualTo(10);
  }

  @Test
  void whatADeadNodeHeldIsFreeOnceItsAccountIsClosed() {
    otherNodeHolds(40);
    assertThat(fill()).isEqualTo(10);
    jdbc.sql("delete from account where id = ?").param(other).update();
    assertThat(awaitRoom()).isEqualTo(40);
    assertThat(waiting()).isEqualTo(50);
  }

  @Test
  void itIsFreeAlsoIfThisNodeFirstHearsThatItIsAlone() {
    otherNodeHolds(40);
    assertThat(fill()).isEqualTo(10);
    jdbc.sql("delete from account where id = ?").param(other).update();
    permits.renew();
    assertThat(awaitRoom()).isEqualTo(40);
  }

  private int awaitRoom() {
    int accepted = 0;
    while (accepted == 0) {
      // With several nodes an empty pool is asked again five times a second.
      Thread.onSpinWait();
      accepted = fill();
    }
    return accepted;
  }

  @Test
  void theAccountOfANodeThatIsNotHeardOfIsClosed() {
    otherNodeHolds(40);
    jdbc.sql("update account set expires_at = now() - interval '1 s' where id = ?")
        .param(other)
        .update();
    jdbc.sql(
            "select pg_sleep(greatest(0, 5.1 - extract(epoch from now() -"
                + " pg_postmaster_start_time())))")
        .query()
        .listOfRows();
    permits.renew();
    assertThat(
            jdbc.sql("select count(*) from account where id = ?")
                .param(other)
                .query(Integer.class)
                .single())
        .isZero();
    assertThat(
            jdbc.sql("select coalesce(sum(granted), 0) from room where account = ?")
                .param(other)
                .query(Integer.class)
                .single())
        .isZero();
  }

  @Test
  void aNodeWhoseAccountWasClosedAdmitsNothingByItsOldPermits() {
    assertThat(submit(10)).isTrue();
    UUID before = node.account();
    jdbc.sql("delete from account where id = ?").param(before).update();
    otherNodeHolds(40);
    assertThat(submit(1)).as("10 wait and 40 are held").isFalse();
    assertThat(node.account()).isNotEqualTo(before);
    assertThat(waiting()).isEqualTo(10);
    assertThat(permits.depth(queue)).isEqualTo(10);
  }

  @Test
  void booksInDoubtAreReplacedByNewOnesThatAgreeWithTheTables() {
    assertThat(submit(10)).isTrue();
    UUID before = node.account();
    // As if a claim of 4 had been committed and its answer lost.
    jdbc.sql(
            "insert into room (queue, account, waiting, runnable, granted) values (?, ?, -4, -4,"
                + " 0)")
        .param(queue.value())
        .param(before)
        .update();
    jdbc.sql("delete from ready where id in (select id from ready where queue = ? limit 4)")
        .param(queue.value())
        .update();
    events.publishEvent(new AccountInDoubt(before));
    assertThat(fill()).isEqualTo(44);
    assertThat(node.account()).isNotEqualTo(before);
    assertThat(permits.depth(queue)).isEqualTo(50);
    jdbc.sql("delete from ready where queue = ?").param(queue.value()).update();
    jdbc.sql("delete from room where queue = ?").param(queue.value()).update();
    jdbc.sql("delete from job where queue = ?").param(queue.value()).update();
  }

  @Test
  void aSubmitThatMeetsAClosedAccountIsWrittenOnceByANewOne() {
    assertThat(submit(10)).isTrue();
    jdbc.sql("delete from account where id = ?").param(node.account()).update();
    assertThat(submit(1)).isTrue();
    assertThat(waiting()).isEqualTo(11);
  }

  private Decision submit(Sample sample) {
    return admission.admit(queue, List.of(sample.submission()), null);
  }

  private List<String> claimed(int jobs) {
    return leases.claim(queue, jobs, false, Set.of()).stream()
        .map(lease -> String.valueOf(lease.tenant()))
        .toList();
  }

  @Test
  void oneTenantsBacklogDoesNotDelayTheFirstJobOfAnother() {
    Sample large = Sample.noop().tenant("large");
    IntStream.range(0, 30).forEach(n -> submit(large));
    assertThat(claimed(5)).containsOnly("large");
    submit(Sample.noop().tenant("small"));
    assertThat(claimed(2)).contains("small");
  }

  @Test
  void nearTheCapATenantOverItsShareIsSentAwayAndTheOtherGetsIn() {
    Sample large = Sample.noop().tenant("large");
    Sample small = Sample.noop().tenant("small");
    submit(small);
    IntStream.range(0, 50).forEach(n -> submit(large));
    assertThat(permits.depth(queue)).as("nine tenths of the cap").isEqualTo(45);
    assertThat(submit(large))
        .isInstanceOfSatisfying(
            Decision.TenantOverShare.class,
            over -> {
              assertThat(over.tenant()).isEqualTo("large");
              assertThat(over.tenantDepth()).isEqualTo(44);
              assertThat(over.share()).isEqualTo(25);
            });
    IntStream.range(0, 5)
        .forEach(n -> assertThat(submit(small)).isInstanceOf(Decision.Accepted.class));
    assertThat(submit(small)).isInstanceOf(Decision.Full.class);
  }

  @Test
  void aTenantThatIsAloneMayFillTheQueue() {
    Sample large = Sample.noop().tenant("large");
    IntStream.range(0, 50)
        .forEach(n -> assertThat(submit(large)).isInstanceOf(Decision.Accepted.class));
    assertThat(submit(large)).isInstanceOf(Decision.Full.class);
  }

  /** Lets another node tell that it starts so many jobs a second, and this one hear of it. */
  private void anotherNodeStarts(double perSecond) {
    jdbc.sql(
            """
            insert into pace (queue, node, per_second, fronts, updated_at)
            values (?, 'other', ?, '{}', now() + interval '1 h')
            """)
        .param(queue.value())
        .param(perSecond)
        .update();
    await()
        .until(
            () -> {
              // Whoever sends clients away tells the others, and hears of them.
              submit(Sample.noop());
              return permits.drainRate(queue).isPresent();
            });
  }

  @Test
  void aJobThatCannotStartInTimeIsRefusedAtOnce() {
    otherNodeHolds(1);
    assertThat(fill()).isEqualTo(49);
    anotherNodeStarts(1);
    assertThat(submit(Sample.noop().startBy(Instant.now().plusSeconds(30))))
        .isInstanceOfSatisfying(
            Decision.DeadlineUnreachable.class,
            late -> {
              assertThat(late.estimatedWait()).isEqualTo(Duration.ofSeconds(49));
              assertThat(late.retryAfter())
                  .isBetween(Duration.ofSeconds(18), Duration.ofSeconds(25));
            });
    assertThat(submit(Sample.noop().startBy(Instant.now().plusSeconds(5))))
        .isInstanceOfSatisfying(
            Decision.DeadlineUnreachable.class, late -> assertThat(late.retryAfter()).isNull());
    assertThat(submit(Sample.noop().startBy(Instant.now().plusSeconds(500))))
        .isInstanceOf(Decision.Full.class);
    assertThat(
            submit(
                Sample.noop().delay(Duration.ofMinutes(1)).startBy(Instant.now().plusSeconds(61))))
        .as("what waits now says nothing of then")
        .isInstanceOf(Decision.Full.class);
  }

  @Test
  void summingUpTheBooksChangesNothing() {
    assertThat(submit(7)).isTrue();
    assertThat(submit(5)).isTrue();
    permits.fold();
    assertThat(waiting()).isEqualTo(12);
    assertThat(fill()).isEqualTo(38);
  }

  @Test
  void theLastRoomIsKeptForThoseWhoWereToldToCome() {
    permits.renew(); // no other node is left of the test before
    assertThat(submit(50)).isTrue();
    await("a drain rate")
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              events.publishEvent(
                  new JobsStarted(queue, true, Collections.nCopies(5, Duration.ZERO), List.of()));
              return permits.drainRate(queue).isPresent();
            });
    assertThat(permits.refusal(queue, "told")).as("the queue is full").isPresent();
    leases.claim(queue, 3, false, Set.of());
    assertThat(permits.room(queue, 50)).isEqualTo(3);
    await("the turn of the one who was told").until(() -> permits.refusal(queue, "told").isEmpty());
    assertThat(permits.refusal(queue, "new")).as("it is not for new ones").isPresent();
    leases.claim(queue, 3, false, Set.of());
    assertThat(permits.refusal(queue, "newer")).as("there is enough").isEmpty();
  }
}
