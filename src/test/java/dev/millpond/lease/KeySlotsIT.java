package dev.millpond.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.Redrives;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.queue.QueueName;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.QueueInvariants;
import dev.millpond.testing.Sample;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.ScheduledAnnotationBeanPostProcessor;
import org.springframework.test.context.TestPropertySource;

/** Who of a concurrency key may start, and when the next one may; the test is the only worker. */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class KeySlotsIT {

  private static final AtomicInteger queues = new AtomicInteger();
  private static final Duration LATER = Duration.ofHours(1);
  private static final Outcome SUCCESS = new Outcome.Succeeded(null);
  private static final Outcome FAILURE =
      new Outcome.Failed(new JobError("broken", "it broke"), false, LATER);

  @Autowired private Admission admission;
  @Autowired private Redrives redrives;
  @Autowired private Leases leases;
  @Autowired private KeySlots keySlots;
  @Autowired private Jobs jobs;
  @Autowired private JdbcClient jdbc;
  @Autowired private DataSource database;
  @Autowired private LeaseReaper reaper;

  @Autowired
  @Qualifier("workerLoop")
  private Object loop;

  @Autowired private ScheduledAnnotationBeanPostProcessor schedule;

  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void newQueue() {
    queue = new QueueName("keys-" + queues.incrementAndGet());
    schedule.postProcessBeforeDestruction(reaper, "leaseReaper");
    schedule.postProcessBeforeDestruction(keySlots, "keySlots");
    schedule.postProcessBeforeDestruction(loop, "workerLoop");
  }

  private UUID submit(Sample sample) {
    Decision decision = admission.admit(queue, List.of(sample.submission()), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  private UUID submit(String key, int limit) {
    return submit(Sample.noop().concurrency(key, limit));
  }

  private Job job(UUID id) {
    return jobs.find(id).orElseThrow();
  }

  private List<UUID> ready() {
    return jdbc.sql("select id from ready where queue = ? order by priority desc, rank, id")
        .param(queue.value())
        .query((row, n) -> row.getObject("id", UUID.class))
        .list();
  }

  private void awaitReady(UUID... ids) {
    await().pollInterval(Duration.ofMillis(5)).until(() -> ready().equals(List.of(ids)));
  }

  private Lease claim(UUID id) {
    awaitReady(id);
    return leases.claim(queue, 1, false, Set.of()).getFirst();
  }

  private void settle(Lease lease, Outcome outcome) {
    leases.settle(lease, outcome).join();
  }

  private void letBeDue(UUID id) {
    jdbc.sql("update delayed set due_at = now() where id = ?").param(id).update();
    leases.poll();
  }

  @Test
  void asManyAsTheLimitMayStartAndTheNextWhenOneEnds() {
    UUID first = submit("k", 2);
    UUID second = submit("k", 2);
    UUID third = submit("k", 2);
    UUID fourth = submit("k", 2);
    UUID free = submit("another", 2);

    awaitReady(first, second, free);
    List<Lease> leased = leases.claim(queue, 10, false, Set.of());
    assertThat(leased).extracting(Lease::id).containsExactly(first, second, free);
    keySlots.turn();
    assertThat(ready()).isEmpty();

    settle(leased.get(1), SUCCESS);
    awaitReady(third);
    settle(leased.get(0), SUCCESS);
    awaitReady(third, fourth);
  }

  @Test
  void whoWaitsForItsKeyIsQueuedWithoutAPlaceAndItsVersionStays() {
    UUID first = submit("k", 1);
    UUID second = submit("k", 1);
    Lease lease = claim(first);

    Job waiting = job(second);
    assertThat(waiting.state()).isEqualTo(JobState.QUEUED);
    assertThat(waiting.rank()).isNull();
    assertThat(waiting.runAt()).isEqualTo(waiting.submittedAt());

    settle(lease, SUCCESS);
    awaitReady(second);
    Job next = job(second);
    assertThat(next.rank()).isNotNull();
    assertThat(next.version()).isEqualTo(waiting.version());
  }

  @Test
  void aKeyCountsWithinItsQueue() {
    submit("k", 1);
    newQueue();
    UUID other = submit("k", 1);
    awaitReady(other);
  }

  @Test
  void aLineIsInTheOrderOfPriorityAndThenOfAge() {
    Lease lease = claim(submit("k", 1));
    UUID second = submit("k", 1);
    UUID third = submit("k", 1);
    UUID urgent = submit(Sample.noop().priority(9).concurrency("k", 1));
    for (UUID next : List.of(urgent, second, third)) {
      settle(lease, SUCCESS);
      lease = claim(next);
    }
  }

  @Test
  void withALimitOfOneTheOrderHoldsOverRetries() {
    UUID first = submit("k", 1);
    UUID second = submit("k", 1);
    settle(claim(first), FAILURE);
    keySlots.turn();
    assertThat(ready()).isEmpty();

    letBeDue(first);
    Lease again = claim(first);
    // Given back for some time, it waits for that as for a retry.
    settle(again, new Outcome.Released(LATER));
    keySlots.turn();
    assertThat(ready()).isEmpty();
    assertThat(leases.hurry(first)).isTrue();

    settle(claim(first), SUCCESS);
    claim(second);
  }

  @Test
  void withAHigherLimitARetryWaitsOutsideAndComesBackToTheEndOfTheLine() {
    UUID first = submit("k", 2);
    UUID second = submit("k", 2);
    UUID third = submit("k", 2);
    UUID fourth = submit("k", 2);
    awaitReady(first, second);
    List<Lease> leased = leases.claim(queue, 10, false, Set.of());

    settle(leased.getFirst(), FAILURE);
    awaitReady(third);
    letBeDue(first);
    assertThat(job(first).state()).isEqualTo(JobState.QUEUED);
    keySlots.turn();
    assertThat(ready()).containsExactly(third);

    Lease one = claim(third);
    settle(leased.getLast(), SUCCESS);
    Lease two = claim(fourth);
    settle(one, SUCCESS);
    settle(claim(first), SUCCESS);
    settle(two, SUCCESS);
    assertThat(job(second).state()).isEqualTo(JobState.SUCCEEDED);
  }

  @Test
  void aJobOfTheFutureJoinsTheLineWhenItIsDue() {
    UUID later = submit(Sample.noop().delay(LATER).concurrency("k", 1));
    UUID hurried = submit(Sample.noop().delay(LATER).concurrency("k", 1));
    UUID now = submit("k", 1);
    Lease lease = claim(now);

    letBeDue(later);
    assertThat(leases.hurry(hurried)).isTrue();
    assertThat(leases.hurry(hurried)).as("it waits for no time").isFalse();
    keySlots.turn();
    assertThat(ready()).isEmpty();
    assertThat(job(later).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(hurried).version()).isEqualTo(2);

    settle(lease, SUCCESS);
    settle(claim(later), SUCCESS);
    claim(hurried);
  }

  @Test
  void aJobThatIsSentBackJoinsTheLine() {
    UUID first = submit("k", 1);
    settle(claim(first), SUCCESS);
    Lease lease = claim(submit("k", 1));

    redrives.redrive(job(first));
    keySlots.turn();
    assertThat(ready()).isEmpty();
    assertThat(job(first).state()).isEqualTo(JobState.QUEUED);

    settle(lease, SUCCESS);
    claim(first);
  }

  @Test
  void whoeverLeavesASlotLeavesItToTheNext() {
    UUID cancelled = submit("k", 1);
    UUID late = submit(Sample.noop().startBy(Instant.now().plus(LATER)).concurrency("k", 1));
    UUID tooLate = submit(Sample.noop().startBy(Instant.now().plus(LATER)).concurrency("k", 1));
    UUID lost = submit("k", 1);
    UUID last = submit("k", 1);
    awaitReady(cancelled);
    leases.cancel(cancelled);
    awaitReady(late);
    jdbc.sql("update ready set start_by = now() - interval '1 s' where id = ?")
        .param(late)
        .update();
    assertThat(leases.claim(queue, 1, false, Set.of())).isEmpty();
    awaitReady(tooLate);
    jdbc.sql("update ready set start_by = now() where id = ?").param(tooLate).update();
    reaper.turn(true, true);
    keySlots.turn();
    Lease lease = claim(lost);

    jdbc.sql("update lease set incarnation = gen_random_uuid() where id = ?").param(lost).update();
    reaper.turn(true, true);
    assertThat(ready()).as("it keeps its slot").containsExactly(lost);
    Lease again = leases.claim(queue, 1, true, Set.of()).getFirst();
    settle(lease, SUCCESS);
    settle(again, SUCCESS);
    claim(last);
  }

  @Test
  void eachJobsOwnLimitAppliesToIt() {
    Lease running = claim(submit("k", 3));
    UUID alone = submit("k", 1);
    UUID behind = submit("k", 3);
    keySlots.turn();
    assertThat(ready()).isEmpty();

    leases.cancel(alone);
    keySlots.turn();
    assertThat(ready()).containsExactly(behind);
    settle(running, SUCCESS);
  }

  @Test
  void whatANodeCouldNotLookAtIsFoundByTheSweep() {
    UUID first = submit("k", 1);
    UUID second = submit("k", 1);
    awaitReady(first);
    // Ended, and nobody told of it: so does a node that stops, or one of the previous version.
    jdbc.sql(
            """
            with gone as (delete from ready where id = :id returning queue), booked as (
              insert into room (queue, account, waiting, runnable, granted)
              select queue, gen_random_uuid(), -1, -1, 0 from gone)
            insert into finished (id, finished_at, version, attempt, recoveries, max_attempts, state)
            values (:id, now(), 2, 0, 0, 5, 'cancelled')
            """)
        .param("id", first)
        .update();
    keySlots.turn();
    assertThat(ready()).containsExactly(second);

    // Put back into the line with a note, as by a submit whose node stopped after its commit.
    jdbc.sql(
            """
            with back as (delete from ready where id = :id returning *), booked as (
              insert into room (queue, account, waiting, runnable, granted)
              select queue, gen_random_uuid(), 0, -1, 0 from back), gone as (
              delete from key_slot where id = :id), noted as (
              insert into key_note values (:queue, 'k'))
            insert into delayed (id, due_at, version, attempt, recoveries, max_attempts, priority, queue, key, rank)
            select id, '9999-12-31', version, attempt, recoveries, max_attempts, priority, queue, 'k', rank from back
            """)
        .param("id", second)
        .param("queue", queue.value())
        .update();
    keySlots.turn();
    assertThat(ready()).containsExactly(second);
  }

  @Test
  void whoIsCancelledWhileItWouldBeLetOutIsNotWaitedForAndTheNextOneComes() throws SQLException {
    Lease lease = claim(submit("k", 1));
    UUID second = submit("k", 1);
    UUID third = submit("k", 1);
    try (var winner = database.getConnection();
        var statement = winner.createStatement()) {
      winner.setAutoCommit(false);
      statement.execute("select from delayed where id = '%s' for update".formatted(second));
      settle(lease, SUCCESS);
      keySlots.turn();
      assertThat(ready()).isEmpty();
      winner.rollback();
    }
    leases.cancel(second);
    keySlots.turn();
    assertThat(ready()).containsExactly(third);
  }

  /** The loser of each race does no harm: at each moment the invariants hold. */
  @Test
  void manyWhoLookAndMoveAtOnceNeverExceedALimit() {
    int keys = 6;
    int count = 240;
    List<UUID> all = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      Sample sample = Sample.noop().attempts(3, Duration.ZERO);
      Sample timed = n % 9 == 0 ? sample.delay(Duration.ofMillis(1)) : sample;
      all.add(submit(timed.concurrency("key-" + n % keys, 1 + n % keys % 3)));
    }
    AtomicInteger ended = new AtomicInteger();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<Void>> workers =
          IntStream.range(0, 4)
              .mapToObj(
                  n -> CompletableFuture.runAsync(() -> work(new Random(n), all, ended), threads))
              .toList();
      while (!workers.stream().allMatch(CompletableFuture::isDone)) {
        QueueInvariants.check(database);
      }
      workers.forEach(CompletableFuture::join);
    }
    assertThat(all).allMatch(id -> job(id).state().isFinal());
  }

  private void work(Random random, List<UUID> all, AtomicInteger redriven) {
    long end = System.nanoTime() + Duration.ofSeconds(40).toNanos();
    while (System.nanoTime() - end < 0 && all.stream().anyMatch(id -> !job(id).state().isFinal())) {
      leases.poll();
      for (Lease lease : leases.claim(queue, 3, false, Set.of())) {
        Outcome outcome =
            switch (random.nextInt(4)) {
              case 0 -> new Outcome.Failed(new JobError("x", "x"), false, Duration.ofMillis(2));
              case 1 -> new Outcome.Released(Duration.ofMillis(random.nextInt(2)));
              default -> SUCCESS;
            };
        settle(lease, outcome);
      }
      UUID some = all.get(random.nextInt(all.size()));
      switch (random.nextInt(4)) {
        case 0 -> leases.cancel(some);
        case 1 -> {
          if (redriven.get() < 30 && job(some).state().isFinal()) {
            redriven.incrementAndGet();
            redrives.redrive(job(some));
          }
        }
        case 2 -> leases.hurry(some);
        default -> keySlots.turn();
      }
    }
  }
}
