package dev.millpond.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.Redrives;
import dev.millpond.admission.Redrives.Redrive;
import dev.millpond.job.Attempt;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.job.Watches;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.StartRate;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.core.namedparam.SqlParameterSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.ScheduledAnnotationBeanPostProcessor;
import org.springframework.test.context.TestPropertySource;

/**
 * Claims, settlements and expiry on a real PostgreSQL; the node has no slots, so that the test is
 * the only worker.
 */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class LeasesIT {

  private static final AtomicInteger queues = new AtomicInteger();
  private static final Outcome SUCCESS = new Outcome.Succeeded("{\"n\":1}");
  private static final Outcome FAILURE =
      new Outcome.Failed(new JobError("broken", "it broke"), false, null);

  @Autowired private Admission admission;
  @Autowired private Redrives redrives;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private Queues settings;
  @Autowired private JdbcClient jdbc;
  @Autowired private LeaseReaper reaper;
  @Autowired private JobVerbSql verbs;
  @Autowired private Node node;
  @Autowired private ApplicationEventPublisher events;
  @Autowired private Watches watches;
  @Autowired private MeterRegistry meters;
  @Autowired private LeaseProperties properties;

  @Autowired
  @Qualifier("leases")
  private DataSource pool;

  @Autowired
  @Qualifier("workerLoop")
  private Object loop;

  @Autowired private ScheduledAnnotationBeanPostProcessor schedule;

  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void stopTheReaperAndTheLoop() {
    // The tests turn them by hand.
    schedule.postProcessBeforeDestruction(reaper, "leaseReaper");
    schedule.postProcessBeforeDestruction(loop, "workerLoop");
    // What earlier tests have leased does not expire in this one.
    jdbc.sql("update lease set expires_at = now() + interval '1 hour'").update();
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                jdbc.sql("select now() - pg_postmaster_start_time() > interval '5 s'")
                    .query(Boolean.class)
                    .single());
  }

  @BeforeEach
  void newQueue() {
    queue = new QueueName("leases-" + queues.incrementAndGet());
  }

  private UUID submit(Sample sample) {
    Decision decision = admission.admit(queue, List.of(sample.submission()), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  private Lease claim() {
    return leases.claim(queue, 1, false, Set.of()).getFirst();
  }

  private Job job(UUID id) {
    return jobs.find(id).orElseThrow();
  }

  private Settlement settle(Lease lease, Outcome outcome) {
    return leases.settle(lease, outcome).join();
  }

  /** As if the worker had not been heard of for longer than its lease. */
  private void letExpire(UUID id) {
    jdbc.sql("update lease set expires_at = now() - interval '1 s' where id = ?")
        .param(id)
        .update();
  }

  /** As if the time had come for which a job waits. */
  private void letBeDue(UUID id) {
    jdbc.sql("update delayed set due_at = now() where id = ?").param(id).update();
    leases.poll();
  }

  /** Loses the answer to its first query, which the database has done. */
  private static final class HardOfHearing extends NamedParameterJdbcTemplate {

    private boolean hasLostOne;

    HardOfHearing(DataSource pool) {
      super(pool);
    }

    @Override
    public <T extends @Nullable Object> List<T> query(
        String sql, SqlParameterSource values, RowMapper<T> mapper) {
      List<T> answer = super.query(sql, values, mapper);
      if (!hasLostOne) {
        hasLostOne = true;
        throw new DataAccessResourceFailureException("lost");
      }
      return answer;
    }
  }

  private Leases losingItsFirstAnswer() {
    HardOfHearing template = new HardOfHearing(pool);
    LeaseSql sql = new LeaseSql(template, template, node, properties);
    Leases losing = new Leases(sql, verbs, settings, node, events, watches, meters);
    assertThatThrownBy(() -> losing.claim(queue, 1, false, Set.of()))
        .isInstanceOf(DataAccessResourceFailureException.class);
    return losing;
  }

  @Test
  void aClaimWhoseAnswerWasLostIsClaimedAgainAndNoWorkerDied() {
    UUID id = submit(Sample.noop());
    Leases losing = losingItsFirstAnswer();
    assertThat(job(id).state()).isEqualTo(JobState.RUNNING);
    Lease lease = losing.claim(queue, 1, false, Set.of()).getFirst();
    assertThat(lease)
        .returns(id, Lease::id)
        .returns(1, Lease::attempt)
        .returns(0, Lease::recoveries);
    settle(lease, SUCCESS);
    assertThat(jobs.attempts(job(id))).hasSize(1);
    losing.close();
  }

  @Test
  void aClaimWhoseAnswerWasLostIsGivenBackThoughNobodyClaimsAgain() {
    UUID id = submit(Sample.noop());
    Leases losing = losingItsFirstAnswer();
    losing.giveBackUnheard();
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(id).attempt()).isZero();
    losing.close();
  }

  @Test
  void jobsAreClaimedByPriorityAndThenByAge() {
    UUID first = submit(Sample.noop());
    UUID second = submit(Sample.noop());
    UUID urgent = submit(Sample.noop().priority(9));
    UUID idle = submit(Sample.noop().priority(0));

    assertThat(leases.claim(queue, 10, false, Set.of()))
        .extracting(Lease::id)
        .containsExactly(urgent, first, second, idle);
  }

  @Test
  void aClaimTakesNoMoreThanItAskedFor() {
    IntStream.range(0, 5).forEach(i -> submit(Sample.noop()));
    assertThat(leases.claim(queue, 3, false, Set.of())).hasSize(3);
    assertThat(leases.claim(queue, 3, false, Set.of())).hasSize(2);
    assertThat(leases.claim(queue, 3, false, Set.of())).isEmpty();
  }

  @Test
  void aSettledJobSaysHowItWent() {
    UUID id = submit(Sample.noop());
    assertThat(job(id)).returns(JobState.QUEUED, Job::state).returns(1, Job::version);
    Lease lease = claim();
    assertThat(job(id)).returns(JobState.RUNNING, Job::state).returns(2, Job::version);
    leases.progress(lease, 40, "2 of 5");

    assertThat(settle(lease, SUCCESS)).isEqualTo(new Settlement.Settled(JobState.SUCCEEDED));

    Job done = job(id);
    assertThat(done.state()).isEqualTo(JobState.SUCCEEDED);
    assertThat(done.result()).isEqualTo("{\"n\":1}");
    assertThat(done.version()).isEqualTo(4);
    assertThat(done.progress()).returns(40, p -> p == null ? -1 : p.percent());
    assertThat(jobs.attempts(done)).hasSize(1).first().returns(1, Attempt::number);
  }

  @Test
  void aZombieCannotSettleAJobThatWasClaimedAgain() {
    UUID id = submit(Sample.noop());
    Lease zombie = claim();
    letExpire(id);
    leases.expire(false);
    Lease heir = leases.claim(queue, 1, true, Set.of()).getFirst();

    assertThat(leases.renew(List.of(zombie))).isEmpty();
    assertThat(settle(zombie, FAILURE)).isEqualTo(new Settlement.Lost());
    leases.progress(zombie, 99, "nearly");
    assertThat(job(id).state()).isEqualTo(JobState.RUNNING);
    assertThat(job(id).progress()).isNull();

    assertThat(heir.token()).isNotEqualTo(zombie.token());
    assertThat(settle(heir, SUCCESS)).isEqualTo(new Settlement.Settled(JobState.SUCCEEDED));
    assertThat(settle(zombie, FAILURE)).isEqualTo(new Settlement.Lost());
    assertThat(job(id).state()).isEqualTo(JobState.SUCCEEDED);
  }

  @Test
  void theSameSettlementSentAgainGivesTheSameAnswer() {
    submit(Sample.noop());
    Lease lease = claim();
    assertThat(settle(lease, SUCCESS)).isEqualTo(new Settlement.Settled(JobState.SUCCEEDED));
    assertThat(settle(lease, SUCCESS)).isEqualTo(new Settlement.Settled(JobState.SUCCEEDED));
  }

  @Test
  void aFailureIsRetriedUntilItsAttemptsAreUsedUp() {
    UUID id = submit(Sample.noop().attempts(2, Duration.ofHours(1)));
    settle(claim(), FAILURE);
    assertThat(job(id)).returns(JobState.RETRYING, Job::state).returns(1, Job::attempt);
    letBeDue(id);
    Lease second = claim();
    assertThat(second.attempt()).isEqualTo(2);
    settle(second, FAILURE);

    Job dead = job(id);
    assertThat(dead.state()).isEqualTo(JobState.FAILED);
    assertThat(dead.error()).isEqualTo(new JobError("broken", "it broke"));
    assertThat(jobs.attempts(dead)).extracting(Attempt::number).containsExactly(1, 2);
  }

  @Test
  void aPermanentFailureIsNotRetried() {
    UUID id = submit(Sample.noop());
    settle(claim(), new Outcome.Failed(new JobError("gone", "no such thing"), true, null));
    assertThat(job(id).state()).isEqualTo(JobState.FAILED);
  }

  @Test
  void aJobGivenBackKeepsItsPlaceAndItsAttempts() {
    UUID id = submit(Sample.noop());
    submit(Sample.noop());
    settle(claim(), new Outcome.Released(Duration.ZERO));
    assertThat(job(id)).returns(JobState.QUEUED, Job::state).returns(0, Job::attempt);
    assertThat(claim()).returns(id, Lease::id).returns(1, Lease::attempt);
  }

  @Test
  void theDeathOfAWorkerUsesUpNoAttemptAndTheThirdOneFailsTheJob() {
    UUID id = submit(Sample.noop().attempts(1, Duration.ZERO));
    claim();
    for (int deaths = 1; deaths <= 2; deaths++) {
      letExpire(id);
      assertThat(leases.expire(false)).isEqualTo(1);
      assertThat(job(id)).returns(JobState.QUEUED, Job::state).returns(deaths, Job::recoveries);
      assertThat(leases.claim(queue, 1, false, Set.of()))
          .as("suspects are claimed apart")
          .isEmpty();
      leases.claim(queue, 1, true, Set.of());
    }
    letExpire(id);
    leases.expire(false);

    Job dead = job(id);
    assertThat(dead.state()).isEqualTo(JobState.FAILED);
    assertThat(dead.error()).returns(JobError.WORKER_LOST, e -> e == null ? "" : e.type());
    assertThat(jobs.attempts(dead)).hasSize(3);
  }

  @Test
  void aSuspectThatFailsStillHasAllItsAttempts() {
    UUID id = submit(Sample.noop().attempts(2, Duration.ZERO));
    claim();
    letExpire(id);
    leases.expire(false);
    settle(leases.claim(queue, 1, true, Set.of()).getFirst(), FAILURE);
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    settle(leases.claim(queue, 1, true, Set.of()).getFirst(), FAILURE);
    assertThat(job(id).state()).isEqualTo(JobState.FAILED);
  }

  @Test
  void nothingExpiresInQuietTimesButWhatAFormerLifeOfThisNodeHeld() {
    UUID id = submit(Sample.noop());
    UUID former = submit(Sample.noop());
    assertThat(leases.claim(queue, 2, false, Set.of())).hasSize(2);
    letExpire(id);
    jdbc.sql("update lease set incarnation = gen_random_uuid() where id = ?")
        .param(former)
        .update();

    assertThat(leases.expire(true)).isEqualTo(1);
    assertThat(job(id).state()).isEqualTo(JobState.RUNNING);
    assertThat(job(former).state()).isEqualTo(JobState.QUEUED);
  }

  @Test
  void aWaitingJobIsCancelledAtOnce() {
    UUID queued = submit(Sample.noop());
    UUID scheduled = submit(Sample.noop().delay(Duration.ofHours(1)));
    assertThat(job(scheduled).state()).isEqualTo(JobState.SCHEDULED);
    assertThat(leases.cancel(queued)).isEqualTo(Cancellation.CANCELLED);
    assertThat(leases.cancel(scheduled)).isEqualTo(Cancellation.CANCELLED);
    assertThat(job(queued).state()).isEqualTo(JobState.CANCELLED);
    assertThat(job(scheduled).state()).isEqualTo(JobState.CANCELLED);
    assertThat(leases.cancel(queued)).isEqualTo(Cancellation.UNCHANGED);
    assertThat(leases.claim(queue, 10, false, Set.of())).isEmpty();
  }

  @Test
  void aRunningJobIsAskedToCancelAndItsWorkerHears() {
    UUID id = submit(Sample.noop());
    Lease lease = claim();
    assertThat(leases.renew(List.of(lease))).containsEntry(id, false);
    assertThat(leases.cancel(id)).isEqualTo(Cancellation.REQUESTED);
    assertThat(job(id).state()).isEqualTo(JobState.CANCELLING);
    assertThat(leases.renew(List.of(lease))).containsEntry(id, true);
  }

  @Test
  void whileCancellingSuccessCountsAndAllElseIsCancelled() {
    List<Outcome> outcomes =
        List.of(SUCCESS, FAILURE, new Outcome.Cancelled(), new Outcome.Released(Duration.ZERO));
    List<JobState> states = new ArrayList<>();
    for (Outcome outcome : outcomes) {
      UUID id = submit(Sample.noop());
      Lease lease = claim();
      leases.cancel(id);
      settle(lease, outcome);
      states.add(job(id).state());
    }
    assertThat(states)
        .containsExactly(
            JobState.SUCCEEDED, JobState.CANCELLED, JobState.CANCELLED, JobState.CANCELLED);
  }

  @Test
  void aCancellingJobWhoseWorkerDiesIsCancelled() {
    UUID id = submit(Sample.noop());
    claim();
    leases.cancel(id);
    letExpire(id);
    leases.expire(false);
    assertThat(job(id).state()).isEqualTo(JobState.CANCELLED);
  }

  @Test
  void aJobThatCannotStartInTimeExpiresAndTakesNoSlot() {
    UUID claimedLate = submit(Sample.noop().startBy(Instant.now().minusSeconds(1)));
    UUID other = submit(Sample.noop());
    assertThat(leases.claim(queue, 2, false, Set.of()))
        .extracting(Lease::id)
        .containsExactly(other);
    assertThat(job(claimedLate).state()).isEqualTo(JobState.EXPIRED);

    UUID sweptQueued = submit(Sample.noop().startBy(Instant.now().minusSeconds(1)));
    UUID sweptScheduled =
        submit(Sample.noop().delay(Duration.ofHours(1)).startBy(Instant.now().minusSeconds(1)));
    leases.expireWaiting();
    assertThat(job(sweptQueued).state()).isEqualTo(JobState.EXPIRED);
    assertThat(job(sweptScheduled).state()).isEqualTo(JobState.EXPIRED);
  }

  @Test
  void startByConcernsTheFirstStartOnly() {
    UUID id =
        submit(Sample.noop().attempts(2, Duration.ZERO).startBy(Instant.now().plusSeconds(3_600)));
    settle(claim(), FAILURE);
    assertThat(
            jdbc.sql("select start_by is null from ready where id = ?")
                .param(id)
                .query(Boolean.class)
                .single())
        .isTrue();
  }

  @Test
  void aFinishedJobIsRedrivenWithItsAttemptsKept() {
    UUID id = submit(Sample.noop().attempts(1, Duration.ZERO));
    settle(claim(), FAILURE);
    assertThat(redrives.redrive(job(id))).isEqualTo(new Redrive.Done(1));
    assertThat(redrives.redrive(job(id))).as("once").isEqualTo(new Redrive.Done(0));
    Job again = job(id);
    assertThat(again.state()).isEqualTo(JobState.QUEUED);
    assertThat(again.maxAttempts()).isEqualTo(2);
    assertThat(jobs.attempts(again)).extracting(Attempt::number).containsExactly(1);
    settle(claim(), SUCCESS);
    assertThat(jobs.attempts(job(id))).extracting(Attempt::number).containsExactly(1, 2);
    redrives.redrive(job(id));
    leases.cancel(id);
  }

  @Test
  void aScheduledJobThatIsHurriedMayRunNow() {
    UUID id = submit(Sample.noop().delay(Duration.ofHours(1)));
    assertThat(leases.hurry(id)).isTrue();
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(id).runAt()).isBefore(Instant.now().plusSeconds(59));
  }

  @Test
  void whatIsLoggedAfterAReleaseComesAfterWhatWasLoggedBefore() {
    UUID id = submit(Sample.noop());
    Lease first = claim();
    leases.log(first, List.of(new LoggedLine(10, Instant.now(), "before")));
    settle(first, new Outcome.Released(Duration.ZERO));
    Lease second = claim();
    leases.log(second, List.of(new LoggedLine(11, Instant.now(), "after")));
    settle(second, SUCCESS);
    assertThat(jobs.log(id)).extracting(line -> line.line()).containsExactly("before", "after");
  }

  @Test
  void moreDueJobsThanOnePollPromotesMakeTheNextPollComeAtOnce() {
    jdbc.sql(
            """
            insert into delayed (id, due_at, version, attempt, recoveries, max_attempts, priority, queue)
            select gen_random_uuid(), now() - interval '1 s', 1, 0, 0, 1, 4, 'crowd'
            from generate_series(1, 1500)
            """)
        .update();
    assertThat(leases.poll().nextDue()).isEqualTo(Duration.ZERO);
    leases.poll();
    assertThat(jdbc.sql("delete from ready where queue = 'crowd'").update()).isEqualTo(1_500);
    jdbc.sql("delete from room where queue = 'crowd'").update();
  }

  @Test
  void onlyAFinishedJobCanBeRemoved() {
    UUID id = submit(Sample.noop());
    assertThat(leases.remove(id)).isFalse();
    Lease lease = claim();
    leases.log(lease, List.of(new LoggedLine(1, Instant.now(), "hello")));
    assertThat(leases.remove(id)).isFalse();
    assertThat(jobs.log(id)).hasSize(1);
    settle(lease, SUCCESS);
    assertThat(leases.remove(id)).isTrue();
    assertThat(jobs.find(id)).isEmpty();
    assertThat(jobs.log(id)).isEmpty();
  }

  @Test
  void aDueJobIsPromotedAndTheNextDueTimeIsTold() {
    UUID id = submit(Sample.noop().delay(Duration.ofMinutes(1)));
    assertThat(leases.poll().queues()).doesNotContain(queue);
    letBeDue(id);
    assertThat(leases.poll().queues()).contains(queue);
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    submit(Sample.noop().delay(Duration.ofSeconds(30)));
    assertThat(leases.poll().nextDue()).isBetween(Duration.ZERO, Duration.ofSeconds(30));
  }

  @Test
  void manyClaimersNeverGetTheSameJob() throws InterruptedException {
    List<UUID> ids = IntStream.range(0, 300).mapToObj(i -> submit(Sample.noop())).toList();
    Set<UUID> claimed = ConcurrentHashMap.newKeySet();
    List<UUID> twice = new ArrayList<>();
    inParallel(
        6,
        () -> {
          List<Lease> got = leases.claim(queue, 7, false, Set.of());
          while (!got.isEmpty()) {
            for (Lease lease : got) {
              if (!claimed.add(lease.id())) {
                synchronized (twice) {
                  twice.add(lease.id());
                }
              }
            }
            got = leases.claim(queue, 7, false, Set.of());
          }
        });
    assertThat(twice).isEmpty();
    assertThat(claimed).containsExactlyInAnyOrderElementsOf(ids);
  }

  @Test
  void claimsOfManyNodesTogetherKeepTheQueuesConcurrency() throws InterruptedException {
    settings.change(
        queue,
        new QueueChange(
            new Setting.Keep<>(),
            new Setting.Set<>(3),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
    IntStream.range(0, 60).forEach(i -> submit(Sample.noop()));
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    inParallel(
        4,
        () -> {
          while (done.get() < 60) {
            for (Lease lease : leases.claim(queue, 2, false, Set.of())) {
              most.accumulateAndGet(running.incrementAndGet(), Math::max);
              running.decrementAndGet();
              settle(lease, SUCCESS);
              done.incrementAndGet();
            }
            int leased =
                jdbc.sql("select count(*) from lease where queue = ?")
                    .param(queue.value())
                    .query(Integer.class)
                    .single();
            most.accumulateAndGet(leased, Math::max);
          }
        });
    assertThat(most.get()).isBetween(1, 3);
  }

  @Test
  void claimsOfManyNodesTogetherKeepTheQueuesRateAndLoseNoneOfIt() throws InterruptedException {
    int perSecond = 50;
    limitStarts(new StartRate(perSecond, Duration.ofSeconds(1)));
    IntStream.range(0, 150).forEach(i -> submit(Sample.noop()));
    Queue<Lease> claimed = new ConcurrentLinkedQueue<>();
    inParallel(
        4,
        () -> {
          while (claimed.size() < 150) {
            claimed.addAll(leases.claim(queue, 40, false, Set.of()));
          }
        });
    List<Instant> starts =
        jdbc.sql("select leased_at from lease where queue = ? order by leased_at")
            .param(queue.value())
            .query((row, n) -> row.getObject(1, OffsetDateTime.class).toInstant())
            .list();
    assertThat(starts).hasSize(150);
    int allowed = (int) (1.1 * perSecond) + 1;
    for (int i = allowed; i < starts.size(); i++) {
      assertThat(Duration.between(starts.get(i - allowed), starts.get(i)))
          .as("start %s and %s", i - allowed, i)
          .isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }
    // Of three seconds' worth: six at once, as after any rest, and the others one each 20 ms.
    assertThat(Duration.between(starts.getFirst(), starts.getLast()))
        .isBetween(Duration.ofMillis(2_850), Duration.ofMillis(3_300));
    claimed.forEach(lease -> settle(lease, SUCCESS));
  }

  @Test
  void aRedriveOpensTheBooksAgainIfTheyWereClosed() {
    UUID id = submit(Sample.noop().attempts(1, Duration.ZERO));
    settle(claim(), FAILURE);
    jdbc.sql("delete from account").update();
    assertThat(redrives.redrive(job(id))).isEqualTo(new Redrive.Done(1));
    leases.cancel(id);
  }

  @Test
  void aRateLimitThatIsCorrectedIsInForceAtOnce() {
    submit(Sample.noop());
    submit(Sample.noop());
    limitStarts(new StartRate(1, Duration.ofHours(24)));
    Lease first = claim();
    assertThat(leases.claim(queue, 1, false, Set.of())).isEmpty();
    limitStarts(new StartRate(10, Duration.ofSeconds(1)));
    Lease second =
        await()
            .atMost(Duration.ofSeconds(10))
            .until(() -> leases.claim(queue, 1, false, Set.of()), claimed -> !claimed.isEmpty())
            .getFirst();
    settle(first, SUCCESS);
    settle(second, SUCCESS);
  }

  private void limitStarts(StartRate rate) {
    settings.change(
        queue,
        new QueueChange(
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Set<>(rate),
            new Setting.Keep<>()));
  }

  @Test
  void nothingOfAPausedQueueIsClaimed() {
    UUID id = submit(Sample.noop());
    settings.pause(queue, true);
    assertThat(leases.claim(queue, 1, false, Set.of())).isEmpty();
    settings.pause(queue, false);
    assertThat(leases.claim(queue, 1, false, Set.of())).extracting(Lease::id).containsExactly(id);
    leases.cancel(id);
  }

  @Test
  void manyWhoCancelEndAndRedriveTheSameJobsDoNotDeadlock() throws InterruptedException {
    List<UUID> ids = IntStream.range(0, 200).mapToObj(i -> submit(Sample.noop())).toList();
    List<JobRef> refs = ids.stream().map(id -> new JobRef(id, null)).toList();
    long before = deadlocks();
    AtomicInteger turn = new AtomicInteger();
    long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
    inParallel(
        8,
        () -> {
          Random random = new Random(turn.get());
          while (System.nanoTime() - end < 0) {
            List<UUID> mixed = new ArrayList<>(ids);
            Collections.shuffle(mixed, random);
            switch (turn.incrementAndGet() % 4) {
              case 0 -> leases.cancel(mixed, true);
              case 1 -> {
                List<JobRef> some = new ArrayList<>(refs);
                Collections.shuffle(some, random);
                redrives.redrive(queue, some, JobState.FINAL, Duration.ZERO, Duration.ZERO);
              }
              default -> {
                List<Lease> held = new ArrayList<>(leases.claim(queue, 100, false, Set.of()));
                Collections.shuffle(held, random);
                held.forEach(lease -> leases.settle(lease, SUCCESS).join());
              }
            }
          }
        });
    assertThat(deadlocks()).isEqualTo(before);
    leases.cancel(ids, true);
  }

  private long deadlocks() {
    return jdbc.sql("select deadlocks from pg_stat_database where datname = current_database()")
        .query(Long.class)
        .single();
  }

  private static void inParallel(int threads, Runnable work) throws InterruptedException {
    List<Throwable> failures = new ArrayList<>();
    List<Thread> all =
        IntStream.range(0, threads)
            .mapToObj(
                i ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              try {
                                work.run();
                              } catch (Throwable failure) {
                                synchronized (failures) {
                                  failures.add(failure);
                                }
                              }
                            }))
            .toList();
    for (Thread thread : all) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }
}
