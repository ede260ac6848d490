package dev.millpond.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.RetryPolicy;
import dev.millpond.queue.Workers;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.ScheduledAnnotationBeanPostProcessor;
import org.springframework.test.context.TestPropertySource;

/**
 * Every statement that changes a job is tried on a job in each state, and agrees with the table in
 * {@link JobState}.
 */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class StatementsIT {

  private static final AtomicInteger queues = new AtomicInteger();
  private static final JobError ERROR = new JobError("broken", "it broke");

  @Autowired private Admission admission;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private Queues settings;
  @Autowired private JdbcClient jdbc;
  @Autowired private LeaseReaper reaper;
  @Autowired private ScheduledAnnotationBeanPostProcessor schedule;

  private QueueName queue = QueueName.DEFAULT;

  /** A job in some state, and a lease of it: the one that is held, or one that is long lost. */
  record Subject(UUID id, Lease lease) {}

  /** Something that is done to jobs. */
  @SuppressWarnings("ImmutableEnumChecker") // the changes are stateless
  enum Change {
    CLAIM((it, s) -> it.leases.claim(it.queue, 1, false, Set.of())),
    CLAIM_SUSPECT((it, s) -> it.leases.claim(it.queue, 1, true, Set.of())),
    SUCCEED((it, s) -> it.settle(s, new Outcome.Succeeded(null))),
    FAIL_FOR_GOOD((it, s) -> it.settle(s, new Outcome.Failed(ERROR, true, null))),
    FAIL_AND_RETRY_LATER(
        (it, s) -> it.settle(s, new Outcome.Failed(ERROR, false, Duration.ofHours(1)))),
    FAIL_AND_RETRY_NOW((it, s) -> it.settle(s, new Outcome.Failed(ERROR, false, Duration.ZERO))),
    CONFIRM_CANCEL((it, s) -> it.settle(s, new Outcome.Cancelled())),
    RELEASE((it, s) -> it.settle(s, new Outcome.Released(Duration.ZERO))),
    RELEASE_FOR_LATER((it, s) -> it.settle(s, new Outcome.Released(Duration.ofHours(1)))),
    PROGRESS((it, s) -> it.leases.progress(s.lease(), 50, "half")),
    RENEW((it, s) -> it.leases.renew(List.of(s.lease()))),
    HEARTBEAT(
        (it, s) ->
            it.leases.heartbeat(
                List.of(
                    new Heartbeat(
                        s.id(),
                        s.lease().token(),
                        Duration.ofMinutes(1),
                        50,
                        "half",
                        List.of("half"))))),
    SUCCEED_BY_TOKEN(
        (it, s) -> it.leases.settle(s.id(), s.lease().token(), new Outcome.Succeeded(null)).join()),
    FAIL_BY_TOKEN(
        (it, s) ->
            it.leases
                .settle(
                    s.id(),
                    s.lease().token(),
                    new Outcome.Failed(ERROR, false, Duration.ofHours(1)))
                .join()),
    PULL(
        (it, s) -> {
          it.pulled(Workers.PULL);
          it.leases.claim(new Claim(it.queue, "w", 1, Duration.ofMinutes(1), Set.of()));
          it.pulled(Workers.SERVICE);
        }),
    PULL_A_TYPE(
        (it, s) -> {
          it.pulled(Workers.BOTH);
          it.leases.claim(
              new Claim(it.queue, "w", 1, Duration.ofMinutes(1), Set.of("demo.noop", "x")));
          it.pulled(Workers.SERVICE);
        }),
    TIME_OUT(
        (it, s) -> {
          it.jdbc.sql("update lease set ends_at = now() - interval '1 s'").update();
          it.leases.timeOut();
        }),
    EXPIRE(
        (it, s) -> {
          it.jdbc.sql("update lease set expires_at = now() - interval '1 s'").update();
          it.leases.expire(false);
        }),
    MISS_THE_START(
        (it, s) -> {
          it.jdbc
              .sql(
                  "update ready set start_by = now() - interval '1 s' where id = ? and attempt = 0")
              .param(s.id())
              .update();
          it.jdbc
              .sql(
                  "update delayed set start_by = now() - interval '1 s' where id = ? and attempt ="
                      + " 0")
              .param(s.id())
              .update();
          it.leases.expireWaiting();
        }),
    BECOME_DUE(
        (it, s) -> {
          it.jdbc.sql("update delayed set due_at = now() where id = ?").param(s.id()).update();
          it.leases.poll();
        }),
    CANCEL((it, s) -> it.leases.cancel(s.id())),
    HURRY((it, s) -> it.leases.hurry(s.id())),
    REDRIVE((it, s) -> it.admission.redrive(it.jobs.find(s.id()).orElseThrow()));

    private final BiConsumer<StatementsIT, Subject> change;

    Change(BiConsumer<StatementsIT, Subject> change) {
      this.change = change;
    }
  }

  @BeforeEach
  void newQueue() {
    queue = new QueueName("statements-" + queues.incrementAndGet());
    schedule.postProcessBeforeDestruction(reaper, "leaseReaper");
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                jdbc.sql("select now() - pg_postmaster_start_time() > interval '5 s'")
                    .query(Boolean.class)
                    .single());
  }

  private void pulled(Workers workers) {
    settings.change(
        queue,
        new QueueChange(
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Set<>(workers)));
  }

  private void settle(Subject subject, Outcome outcome) {
    leases.settle(subject.lease(), outcome).join();
  }

  private UUID submit(Sample sample) {
    Decision decision = admission.admit(queue, List.of(sample.submission()), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  /** Brings a new job into the state, by the ways that lead there. */
  private Subject in(JobState state) {
    if (state == JobState.SCHEDULED) {
      return withoutLease(submit(Sample.noop().delay(Duration.ofHours(1))));
    }
    if (state == JobState.EXPIRED) {
      UUID late = submit(Sample.noop().startBy(Instant.now().minusSeconds(1)));
      leases.expireWaiting();
      return withoutLease(late);
    }
    UUID id = submit(Sample.noop());
    if (state == JobState.QUEUED) {
      return withoutLease(id);
    }
    Subject subject = new Subject(id, leases.claim(queue, 1, false, Set.of()).getFirst());
    switch (state) {
      case SUCCEEDED -> settle(subject, new Outcome.Succeeded(null));
      case FAILED -> settle(subject, new Outcome.Failed(ERROR, true, null));
      case RETRYING -> settle(subject, new Outcome.Failed(ERROR, false, Duration.ofHours(1)));
      case CANCELLING -> leases.cancel(id);
      case CANCELLED -> {
        leases.cancel(id);
        settle(subject, new Outcome.Cancelled());
      }
      case RUNNING, SCHEDULED, QUEUED, EXPIRED -> {}
    }
    return subject;
  }

  private Subject withoutLease(UUID id) {
    UUID token = UUID.randomUUID();
    return new Subject(
        id,
        new Lease(
            id,
            token,
            queue,
            null,
            "demo.noop",
            null,
            1,
            0,
            5,
            RetryPolicy.DEFAULT,
            Duration.ofMinutes(5),
            null,
            Duration.ZERO,
            Instant.EPOCH));
  }

  static Stream<Arguments> changesInStates() {
    return Stream.of(Change.values())
        .flatMap(change -> Stream.of(JobState.values()).map(state -> Arguments.of(change, state)));
  }

  @ParameterizedTest(name = "{0} of a job that is {1}")
  @MethodSource("changesInStates")
  void aStatementChangesAJobOnlyAsTheTableAllows(Change change, JobState state) {
    Subject subject = in(state);
    Job before = jobs.find(subject.id()).orElseThrow();
    assertThat(before.state()).isEqualTo(state);

    change.change.accept(this, subject);

    Job after = jobs.find(subject.id()).orElseThrow();
    if (after.state() == state) {
      boolean tells = change == Change.PROGRESS || change == Change.HEARTBEAT;
      boolean progressed = tells && before.version() < after.version();
      assertThat(after.version()).isEqualTo(before.version() + (progressed ? 1 : 0));
    } else {
      assertThat(state.mayBecome(after.state())).as(state + " to " + after.state()).isTrue();
      assertThat(after.version()).isGreaterThan(before.version());
    }
    // Nothing of this test waits for the next one.
    leases.cancel(subject.id());
    settle(subject, new Outcome.Cancelled());
  }
}
