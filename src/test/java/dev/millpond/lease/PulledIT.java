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
import dev.millpond.lease.Settlement.Lost;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.Workers;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.ScheduledAnnotationBeanPostProcessor;
import org.springframework.test.context.TestPropertySource;

/** What becomes of the leases of pull workers when nobody speaks for them. */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class PulledIT {

  private static final AtomicInteger queues = new AtomicInteger();
  private static final Duration SOON = Duration.ofSeconds(20);

  @Autowired private Admission admission;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private Queues settings;
  @Autowired private Node node;
  @Autowired private JdbcClient jdbc;
  @Autowired private LeaseReaper reaper;
  @Autowired private ScheduledAnnotationBeanPostProcessor schedule;

  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void newQueue() {
    schedule.postProcessBeforeDestruction(reaper, "leaseReaper");
    queue = new QueueName("pulled-" + queues.incrementAndGet());
    settings.change(
        queue,
        new QueueChange(
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Set<>(Workers.PULL),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
    await()
        .atMost(SOON)
        .until(
            () ->
                jdbc.sql("select now() - pg_postmaster_start_time() > interval '5 s'")
                    .query(Boolean.class)
                    .single());
  }

  private UUID submit(Sample sample) {
    Decision decision = admission.admit(queue, List.of(sample.submission()), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  private List<Lease> claim(String worker, int max, String... types) {
    return leases.claim(new Claim(queue, worker, max, Duration.ofMinutes(1), Set.of(types)));
  }

  private Job job(UUID id) {
    return jobs.find(id).orElseThrow();
  }

  private void letExpire() {
    jdbc.sql("update lease set expires_at = now() - interval '1 s' where queue = ?")
        .param(queue.value())
        .update();
    leases.expire(false);
  }

  private void letTimeOut() {
    jdbc.sql("update lease set ends_at = now(), expires_at = now() where queue = ?")
        .param(queue.value())
        .update();
    // In the order of a sweep, and the other way round: what has timed out is not lost.
    leases.expire(false);
    leases.timeOut();
  }

  @Test
  void anExpiredLeaseIsTheDeathOfItsWorkerAndNotAFailure() {
    UUID id = submit(Sample.noop());
    Lease lost = claim("w", 1).getFirst();
    letExpire();
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(id).recoveries()).isEqualTo(1);
    assertThat(complete(lost)).isEqualTo(new Lost());
  }

  @Test
  void aWorkerHoldsOneJobAtATimeUnderWhichAWorkerDied() {
    UUID first = submit(Sample.noop());
    UUID second = submit(Sample.noop());
    assertThat(claim("w", 2)).hasSize(2);
    letExpire();
    UUID innocent = submit(Sample.noop());
    assertThat(claim("w", 10)).extracting(Lease::id).contains(innocent).hasSize(2);
    assertThat(claim("w", 10)).as("it holds one").isEmpty();
    assertThat(claim("v", 10)).as("another worker may").hasSize(1);
    assertThat(job(first).state()).isEqualTo(JobState.RUNNING);
    assertThat(job(second).state()).isEqualTo(JobState.RUNNING);
  }

  @Test
  void anAttemptThatTimedOutIsRetriedByThePolicy() {
    UUID id = submit(Sample.noop());
    Lease slow = claim("w", 1).getFirst();
    letTimeOut();
    Job retrying = job(id);
    assertThat(retrying.state()).isIn(JobState.RETRYING, JobState.QUEUED);
    assertThat(retrying.recoveries()).isZero();
    assertThat(jobs.attempts(retrying).getFirst().error())
        .extracting(JobError::type)
        .isEqualTo(JobError.TIMEOUT);
    assertThat(complete(slow)).isEqualTo(new Lost());
  }

  @Test
  void whatWasAskedToCancelIsCancelledWhenItsWorkerIsNotHeardOf() {
    UUID expired = submit(Sample.noop());
    claim("w", 1);
    leases.cancel(expired);
    letExpire();
    assertThat(job(expired).state()).isEqualTo(JobState.CANCELLED);
    UUID timedOut = submit(Sample.noop());
    claim("w", 1);
    leases.cancel(timedOut);
    letTimeOut();
    assertThat(job(timedOut).state()).isEqualTo(JobState.CANCELLED);
  }

  @Test
  void aNodeDoesNotTakeThemForThoseOfItsFormerLife() {
    UUID id = submit(Sample.noop());
    Lease held = claim(node.name(), 1).getFirst();
    leases.expire(false);
    leases.expire(true);
    assertThat(job(id).state()).isEqualTo(JobState.RUNNING);
    assertThat(complete(held)).isEqualTo(new Settlement.Settled(JobState.SUCCEEDED));
  }

  @Test
  void manyWhoClaimByTypeGetEachJobOnce() {
    IntStream.range(0, 200).forEach(n -> submit(Sample.of(n % 2 == 0 ? "even" : "odd", null)));
    List<UUID> claimed = new ArrayList<>();
    try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<Lease>>> claims =
          IntStream.range(0, 40)
              .mapToObj(n -> workers.submit(() -> claim("w" + n, 5, "even", "odd")))
              .toList();
      for (Future<List<Lease>> claim : claims) {
        assertThat(claim).succeedsWithin(SOON);
        claim.resultNow().forEach(lease -> claimed.add(lease.id()));
      }
    }
    claim("last", 100, "odd").forEach(lease -> claimed.add(lease.id()));
    claim("last", 100, "even").forEach(lease -> claimed.add(lease.id()));
    assertThat(claimed).hasSize(200).doesNotHaveDuplicates();
  }

  @Test
  void allWhoWaitAreAnsweredWhenTheServiceStops() {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    Claims claims = new Claims(leases, meters);
    Claim claim = new Claim(queue, "w", 1, Duration.ofMinutes(1), Set.of());
    try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<Lease>>> all =
          IntStream.range(0, 10)
              .mapToObj(n -> workers.submit(() -> claims.await(claim, Duration.ofMinutes(1))))
              .toList();
      await().atMost(SOON).until(() -> waiting(meters) == all.size());
      claims.stop();
      for (Future<List<Lease>> each : all) {
        assertThat(each).succeedsWithin(SOON);
        assertThat(each.resultNow()).isEmpty();
      }
    }
    assertThat(claims.takesMore()).isFalse();
    assertThat(waiting(meters)).isZero();
  }

  private static double waiting(SimpleMeterRegistry meters) {
    return meters.get("millpond.claims.waiting").gauge().value();
  }

  private Settlement complete(Lease lease) {
    Ending done = new Ending(lease.id(), lease.token(), new Outcome.Succeeded(null));
    return leases.settle(List.of(done)).getFirst().join();
  }
}
