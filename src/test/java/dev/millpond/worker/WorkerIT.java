package dev.millpond.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.handler.JobContext;
import dev.millpond.handler.JobHandler;
import dev.millpond.handler.Snooze;
import dev.millpond.job.Attempt;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.LogLine;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

/**
 * The worker loop with the shipped handlers and some bad ones. It polls so rarely that whatever is
 * done in time was not found by a poll.
 */
@IntegrationTest
@Import(WorkerIT.BadHandlers.class)
@TestPropertySource(properties = "millpond.worker.poll=PT1M")
@Timeout(120)
class WorkerIT {

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final AtomicInteger queues = new AtomicInteger();

  @Autowired private Admission admission;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private Queues settings;
  @Autowired private Slots slots;
  @Autowired private Upkeep upkeep;
  @Autowired private MeterRegistry meters;
  @Autowired private JdbcClient jdbc;
  @Autowired private Deaf deaf;

  private final QueueName queue = new QueueName("worker-" + queues.incrementAndGet());

  private UUID submit(Sample sample) {
    Decision decision = admission.admit(queue, List.of(sample.submission()), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  private Job job(UUID id) {
    return jobs.find(id).orElseThrow();
  }

  private Job reach(UUID id, JobState state) {
    return await().atMost(SOON).until(() -> job(id), j -> j.state() == state);
  }

  @Test
  void aJobIsPickedUpWithoutWaitingForThePoll() {
    Job done = reach(submit(Sample.noop()), JobState.SUCCEEDED);
    assertThat(Duration.between(done.submittedAt(), done.startedAt())).isLessThan(SOON);
  }

  @Test
  void aDelayedJobStartsAtItsTimeAndNotBefore() {
    Job done = reach(submit(Sample.noop().delay(Duration.ofMillis(300))), JobState.SUCCEEDED);
    assertThat(done.startedAt()).isAfterOrEqualTo(done.runAt());
    assertThat(Duration.between(done.runAt(), done.startedAt())).isLessThan(SOON);
  }

  @Test
  void progressIsSeenWhileAJobRuns() {
    UUID lengthy = submit(Sample.of("demo.sleep", "{\"duration\":\"PT1H\",\"steps\":1000}"));
    Job running = await().atMost(SOON).until(() -> job(lengthy), j -> j.progress() != null);
    assertThat(running.state()).isEqualTo(JobState.RUNNING);
    leases.cancel(lengthy);
    reach(lengthy, JobState.CANCELLED);
  }

  @Test
  void aJobThatSucceededTellsItsLastProgress() {
    UUID id = submit(Sample.of("demo.sleep", "{\"duration\":\"PT0.1S\",\"steps\":10}"));
    assertThat(reach(id, JobState.SUCCEEDED).progress())
        .returns(100, p -> p == null ? -1 : p.percent());
  }

  @Test
  void aFailingJobIsTriedAgain() {
    UUID id = submit(Sample.of("demo.fail", "{\"times\":2}").attempts(5, Duration.ofMillis(10)));
    Job done = reach(id, JobState.SUCCEEDED);
    assertThat(jobs.attempts(done)).extracting(Attempt::number).containsExactly(1, 2, 3);
    assertThat(jobs.attempts(done)).filteredOn(a -> a.error() != null).hasSize(2);
  }

  @Test
  void aRunningJobThatIsCancelledStops() {
    UUID id = submit(Sample.of("demo.sleep", "{\"duration\":\"PT1H\"}"));
    reach(id, JobState.RUNNING);
    leases.cancel(id);
    reach(id, JobState.CANCELLED);
  }

  @Test
  void aLeaseThatIsLostAtItsRenewalIsCountedAndItsHandlerStopped() {
    UUID id = submit(Sample.of("demo.sleep", "{\"duration\":\"PT1H\"}"));
    reach(id, JobState.RUNNING);
    double before = meters.get("millpond.leases.lost").counter().count();
    jdbc.sql("update lease set token = gen_random_uuid() where id = ?").param(id).update();
    // It may be that the scheduled renewal is the first to notice; the other one finds nothing.
    upkeep.renew();
    assertThat(meters.get("millpond.leases.lost").counter().count()).isEqualTo(before + 1);
    await().atMost(SOON).until(() -> slots.find(id).isEmpty());
    assertThat(job(id).state()).isEqualTo(JobState.RUNNING);
    leases.cancel(id);
  }

  @Test
  void whatAHandlerLogsIsKept() {
    UUID id = submit(Sample.of("test.log", null));
    reach(id, JobState.SUCCEEDED);
    assertThat(jobs.log(id)).extracting(LogLine::line).containsExactly("one", "two ");
  }

  @Test
  void aHandlerThatIgnoresItsInterruptIsTimedOutKeepsItsSlotAndIsNotRunBesideItself() {
    UUID id =
        submit(
            Sample.of("test.deaf", null).timeout(Duration.ofSeconds(1)).attempts(2, Duration.ZERO));
    await().atMost(SOON).until(() -> deaf.running.get() == 1);
    // Timed out and claimed again, it comes back for as long as the old run lives.
    await()
        .atMost(SOON)
        .until(() -> jobs.attempts(job(id)), a -> !a.isEmpty() && a.getFirst().error() != null);
    assertThat(jobs.attempts(job(id)).getFirst().error())
        .returns(JobError.TIMEOUT, e -> e == null ? "" : e.type());
    assertThat(slots.find(id)).isPresent();
    assertThat(deaf.running).hasValue(1);

    deaf.mayEnd.countDown();
    reach(id, JobState.SUCCEEDED);
    assertThat(deaf.most).hasValue(1);
  }

  @Test
  void aTimeoutIsRecordedSoonAfterItsDueWhetherOrNotTheNodeWasAtRest() {
    Sample sleep = Sample.of("demo.sleep", "{\"duration\":\"PT1M\"}").attempts(1, Duration.ZERO);
    Duration timeout = Duration.ofMillis(200);
    for (int i = 0; i < 2; i++) {
      await().until(() -> slots.runs().isEmpty());
      Job atRest = reach(submit(sleep.timeout(timeout)), JobState.FAILED);
      assertThat(ran(atRest)).isBetween(timeout, timeout.plusMillis(700));
    }
    UUID beside = submit(sleep);
    reach(beside, JobState.RUNNING);
    Job besideAnother = reach(submit(sleep.timeout(timeout)), JobState.FAILED);
    assertThat(ran(besideAnother)).isBetween(timeout, timeout.plusMillis(700));
    leases.cancel(beside);
    reach(beside, JobState.CANCELLED);
  }

  private static Duration ran(Job job) {
    assertThat(job.error()).returns(JobError.TIMEOUT, e -> e == null ? "" : e.type());
    return Duration.between(job.startedAt(), job.finishedAt());
  }

  @Test
  void aQueueWithAConcurrencyLimitGoesOnWhenAJobEndsAndNotAtTheNextPoll() {
    settings.change(
        queue,
        new QueueChange(
            new Setting.Keep<>(),
            new Setting.Set<>(1),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
    List<UUID> ids = IntStream.range(0, 20).mapToObj(i -> submit(Sample.noop())).toList();
    Job last = reach(ids.getLast(), JobState.SUCCEEDED);
    assertThat(Duration.between(job(ids.getFirst()).startedAt(), last.startedAt()))
        .isLessThan(SOON);
    List<Job> done = ids.stream().map(this::job).toList();
    for (int i = 1; i < done.size(); i++) {
      assertThat(done.get(i).startedAt()).isAfterOrEqualTo(done.get(i - 1).finishedAt());
    }
  }

  @Test
  void jobsThatCameTooLateDoNotHoldUpTheOthers() {
    for (int i = 0; i < 200; i++) {
      submit(Sample.noop().startBy(Instant.now().minusSeconds(1)));
    }
    Job done = reach(submit(Sample.noop()), JobState.SUCCEEDED);
    assertThat(Duration.between(done.submittedAt(), done.startedAt())).isLessThan(SOON);
  }

  @Test
  void anErrorOfTheHandlerFailsTheAttemptAndNotTheWorker() {
    UUID id = submit(Sample.of("test.error", null).attempts(1, Duration.ZERO));
    assertThat(reach(id, JobState.FAILED).error()).isNotNull();
    reach(submit(Sample.noop()), JobState.SUCCEEDED);
  }

  @Test
  void aHandlerThatSnoozesUsesUpNoAttempt() {
    UUID id = submit(Sample.of("test.snooze", null).attempts(1, Duration.ZERO));
    Job done = reach(id, JobState.SUCCEEDED);
    assertThat(done.attempt()).isEqualTo(1);
    assertThat(jobs.attempts(done)).hasSize(1);
    assertThat(jobs.log(id)).extracting(LogLine::line).containsExactly("awake");
  }

  /** Payload of the test handlers. */
  record Nothing() {}

  @TestConfiguration(proxyBeanMethods = false)
  static class BadHandlers {

    @Bean
    Deaf deaf() {
      return new Deaf();
    }

    @Bean
    JobHandler<Nothing> talkative() {
      return new Simple(
          "test.log",
          context -> {
            context.log("one");
            context.log("two\u0000");
          });
    }

    /** Thrice too early. */
    @Bean
    JobHandler<Nothing> sleepy() {
      AtomicInteger calls = new AtomicInteger();
      return new Simple(
          "test.snooze",
          context -> {
            if (calls.incrementAndGet() < 4) {
              throw new Snooze(Duration.ofMillis(50));
            }
            context.log("awake");
          });
    }

    @Bean
    JobHandler<Nothing> broken() {
      return new Simple(
          "test.error",
          context -> {
            throw new AssertionError("test");
          });
    }
  }

  /** What a simple handler does. */
  interface Work {
    void with(JobContext context) throws Exception;
  }

  record Simple(String type, Work work) implements JobHandler<Nothing> {
    @Override
    public Class<Nothing> payloadType() {
      return Nothing.class;
    }

    @Override
    public @Nullable Object handle(Nothing payload, JobContext context) throws Exception {
      work.with(context);
      return null;
    }
  }

  /** Ignores its interrupt until it may end. */
  static final class Deaf implements JobHandler<Nothing> {

    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();

    @Override
    public String type() {
      return "test.deaf";
    }

    @Override
    public Class<Nothing> payloadType() {
      return Nothing.class;
    }

    @Override
    public @Nullable Object handle(Nothing payload, JobContext context) {
      most.accumulateAndGet(running.incrementAndGet(), Math::max);
      boolean ended = false;
      while (!ended) {
        try {
          mayEnd.await();
          ended = true;
        } catch (InterruptedException ignored) {
          // That is what it is for.
        }
      }
      running.decrementAndGet();
      return null;
    }
  }
}
