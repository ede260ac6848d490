package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.admission.Placed.As;
import dev.millpond.admission.Redrives.Redrive;
import dev.millpond.admission.Unique.OnConflict;
import dev.millpond.admission.Unique.Until;
import dev.millpond.job.DatabaseClock;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.util.ReflectionTestUtils;

/** At most one job of a queue holds a key, whoever submits, starts and ends jobs meanwhile. */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class UniquenessIT {

  private static final AtomicInteger queues = new AtomicInteger();
  private static final JobError ERROR = new JobError("broken", "it broke");
  private static final String NEWER = "{\"n\": 2}";

  @Autowired private Admission admission;
  @Autowired private Redrives redrives;
  @Autowired private AdmissionSql sql;
  @Autowired private AdmissionProperties properties;
  @Autowired private Uniqueness uniqueness;
  @Autowired private DependentWrites dependents;

  /** Of other nodes. */
  private final List<Writers> writers = new ArrayList<>();

  @Autowired private Permits permits;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private JobIds ids;
  @Autowired private DatabaseClock clock;
  @Autowired private Queues settings;
  @Autowired private ApplicationEventPublisher events;
  @Autowired private MeterRegistry meters;
  @Autowired private JdbcClient jdbc;
  @Autowired private DataSource database;

  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void newQueue() {
    queue = new QueueName("unique-" + queues.incrementAndGet());
  }

  /** What waits or runs is not in the way of others. */
  @AfterEach
  void endAll() {
    jdbc.sql(
            """
            select id from ready where queue = :queue union all select id from delayed where queue = :queue
            union all select id from lease where queue = :queue
            """)
        .param("queue", queue.value())
        .query(UUID.class)
        .list()
        .forEach(leases::cancel);
  }

  private static Unique unique(String key, Until until, OnConflict onConflict) {
    return new Unique(
        key, until, until == Until.EXPIRED ? Duration.ofMinutes(1) : null, onConflict);
  }

  private static Unique until(Until until) {
    return unique("k", until, OnConflict.EXISTING);
  }

  private static Submission plain() {
    return Sample.noop().submission();
  }

  private static Submission job(Unique unique) {
    return Sample.noop().unique(unique);
  }

  private static Submission newer(Unique unique) {
    return Sample.of("demo.noop", NEWER).unique(unique);
  }

  private Decision submit(Submission... submissions) {
    return admission.admit(queue, List.of(submissions), null);
  }

  private UUID accepted(Submission submission) {
    return accepted(submit(submission));
  }

  private static UUID accepted(Decision decision) {
    assertThat(decision).isInstanceOf(Decision.Accepted.class);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  private static Decision merged(As as, UUID id) {
    return new Decision.Merged(List.of(new Placed(as, id)));
  }

  private static Decision existing(UUID id) {
    return merged(As.EXISTING, id);
  }

  private Lease claim() {
    return leases.claim(queue, 1, false, Set.of()).getFirst();
  }

  private void succeed() {
    leases.settle(claim(), new Outcome.Succeeded(null)).join();
  }

  private Job job(UUID id) {
    return jobs.find(id).orElseThrow();
  }

  private int rows() {
    return jdbc.sql("select count(*) from job where queue = ?")
        .param(queue.value())
        .query(Integer.class)
        .single();
  }

  private int keys() {
    return jdbc.sql("select count(*) from unique_key where queue = ?")
        .param(queue.value())
        .query(Integer.class)
        .single();
  }

  /** The writer of another node, on the same permits. */
  private Admission otherNode() {
    Writers own = new Writers(permits, sql, uniqueness, dependents, properties);
    writers.add(own);
    return new Admission(settings, permits, own, ids, clock, events, meters);
  }

  @AfterEach
  void closeOtherNodes() {
    writers.forEach(Writers::close);
  }

  private static <T> List<T> inParallel(List<Supplier<T>> calls) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      return calls.stream()
          .map(call -> CompletableFuture.supplyAsync(call, threads))
          .toList()
          .stream()
          .map(CompletableFuture::join)
          .toList();
    }
  }

  @Test
  void fiftyAtOnceWithOneKeyMakeOneJobOverThreeNodes() {
    List<Admission> nodes = List.of(admission, otherNode(), otherNode());
    List<Decision> decisions =
        inParallel(
            IntStream.range(0, 50)
                .<Supplier<Decision>>mapToObj(
                    i ->
                        () ->
                            nodes
                                .get(i % 3)
                                .admit(queue, List.of(job(until(Until.FINISHED))), null))
                .toList());
    UUID id =
        accepted(
            decisions.stream().filter(Decision.Accepted.class::isInstance).toList().getFirst());
    assertThat(decisions).filteredOn(existing(id)::equals).hasSize(49);
    assertThat(rows()).isEqualTo(1);
    assertThat(permits.depth(queue)).isEqualTo(1);
  }

  @Test
  void batchesThatWantTheSameKeysInAnyOrderDoNotStopEachOther() {
    List<Admission> nodes = List.of(admission, otherNode(), otherNode());
    List<Integer> keys = IntStream.range(0, 20).boxed().collect(Collectors.toList());
    List<Supplier<Decision>> batches =
        IntStream.range(0, 60)
            .<Supplier<Decision>>mapToObj(
                i -> {
                  Collections.shuffle(keys);
                  List<Submission> batch =
                      keys.stream()
                          .map(n -> job(unique("é" + n, Until.FINISHED, OnConflict.EXISTING)))
                          .toList();
                  return () -> nodes.get(i % 3).admit(queue, batch, null);
                })
            .toList();
    assertThat(inParallel(batches))
        .allMatch(d -> d instanceof Decision.Accepted || d instanceof Decision.Merged);
    assertThat(rows()).isEqualTo(20);
    assertThat(permits.depth(queue)).isEqualTo(20);
  }

  @Test
  void aKeyUntilStartedIsFreeWhenTheJobStarts() {
    UUID first = accepted(job(until(Until.STARTED)));
    assertThat(submit(job(until(Until.STARTED)))).isEqualTo(existing(first));
    Lease lease = claim();
    UUID second = accepted(job(until(Until.STARTED)));
    // What comes back has started already.
    leases.settle(lease, new Outcome.Released(Duration.ZERO)).join();
    assertThat(submit(job(until(Until.STARTED)))).isEqualTo(existing(second));
  }

  /** Ways in which a job ends. */
  @SuppressWarnings("ImmutableEnumChecker") // stateless
  enum End {
    SUCCESS(JobState.SUCCEEDED) {
      @Override
      void bring(UniquenessIT it, UUID id) {
        it.succeed();
      }
    },
    FAILURE(JobState.FAILED) {
      @Override
      void bring(UniquenessIT it, UUID id) {
        it.leases.settle(it.claim(), new Outcome.Failed(ERROR, true, null)).join();
      }
    },
    CANCEL(JobState.CANCELLED) {
      @Override
      void bring(UniquenessIT it, UUID id) {
        it.leases.cancel(id);
      }
    },
    TOO_LATE(JobState.EXPIRED) {
      @Override
      void bring(UniquenessIT it, UUID id) {
        it.letStartByPass(id);
        ReflectionTestUtils.invokeMethod(it.leases, "expireWaiting");
      }
    },
    TOO_LATE_WHEN_CLAIMED(JobState.EXPIRED) {
      @Override
      void bring(UniquenessIT it, UUID id) {
        it.letStartByPass(id);
        it.leases.claim(it.queue, 1, false, Set.of());
      }
    },
    LOSS_WHILE_CANCELLING(JobState.CANCELLED) {
      @Override
      void bring(UniquenessIT it, UUID id) {
        it.claim();
        it.leases.cancel(id);
        it.jdbc
            .sql("update lease set incarnation = gen_random_uuid() where id = ?")
            .param(id)
            .update();
        ReflectionTestUtils.invokeMethod(it.leases, "expire", true);
      }
    };

    private final JobState state;

    End(JobState state) {
      this.state = state;
    }

    abstract void bring(UniquenessIT it, UUID id);
  }

  private void letStartByPass(UUID id) {
    jdbc.sql("update ready set start_by = now() - interval '1 s' where id = ?").param(id).update();
  }

  @ParameterizedTest
  @EnumSource
  void aKeyUntilFinishedIsFreeHoweverTheJobEnds(End end) {
    UUID first = accepted(job(until(Until.FINISHED)));
    end.bring(this, first);
    assertThat(job(first).state()).isEqualTo(end.state);
    assertThat(keys()).isZero();
    assertThat(accepted(job(until(Until.FINISHED)))).isNotEqualTo(first);
  }

  /** As a group of submits does, which waits while it has the first of the keys. */
  @Test
  void aClaimThatStartsOneJobAndEndsAnotherLetsGoOfTheirKeysInTheOrderInWhichTheyAreTaken()
      throws SQLException {
    UUID late = accepted(job(unique("b", Until.FINISHED, OnConflict.EXISTING)));
    accepted(job(unique("a", Until.STARTED, OnConflict.EXISTING)));
    letStartByPass(late);
    try (Connection group = database.getConnection()) {
      group.setAutoCommit(false);
      lockKey(group, "a");
      CompletableFuture<List<Lease>> claim =
          CompletableFuture.supplyAsync(() -> leases.claim(queue, 2, false, Set.of()));
      await("the claim waits for the first key").until(this::somebodyWaitsForALock);
      lockKey(group, "b");
      group.commit();
      assertThat(claim.join()).hasSize(1);
    }
    assertThat(keys()).isZero();
  }

  private void lockKey(Connection connection, String key) throws SQLException {
    try (PreparedStatement lock =
        connection.prepareStatement(
            "select from unique_key where queue = ? and key = ? for update nowait")) {
      lock.setString(1, queue.value());
      lock.setString(2, key);
      lock.execute();
    }
  }

  private boolean somebodyWaitsForALock() {
    return jdbc.sql(
            """
            select exists (select from pg_stat_activity
                           where wait_event_type = 'Lock' and datname = current_database())
            """)
        .query(Boolean.class)
        .single();
  }

  @Test
  void aKeyUntilFinishedIsHeldWhileTheJobRunsAndIsRetried() {
    UUID first = accepted(job(until(Until.FINISHED)));
    Lease lease = claim();
    assertThat(submit(job(until(Until.FINISHED)))).isEqualTo(existing(first));
    leases.settle(lease, new Outcome.Failed(ERROR, false, Duration.ofHours(1))).join();
    assertThat(submit(job(until(Until.FINISHED)))).isEqualTo(existing(first));
  }

  @Test
  void aKeyForSomeTimeOutlivesItsJob() {
    UUID first = accepted(job(until(Until.EXPIRED)));
    succeed();
    assertThat(submit(job(until(Until.EXPIRED)))).isEqualTo(existing(first));
    assertThat(submit(newer(unique("k", Until.EXPIRED, OnConflict.REPLACE))))
        .isEqualTo(new Decision.Duplicate(0, first));
    letKeysExpire();
    assertThat(accepted(job(until(Until.EXPIRED)))).isNotEqualTo(first);
    letKeysExpire();
    uniqueness.sweep();
    assertThat(keys()).isZero();
  }

  private void letKeysExpire() {
    jdbc.sql("update unique_key set expires_at = now() where queue = ? and expires_at is not null")
        .param(queue.value())
        .update();
  }

  @Test
  void aJobThatIsRemovedHoldsNoKey() {
    UUID first = accepted(job(until(Until.EXPIRED)));
    succeed();
    leases.remove(first);
    assertThat(keys()).isZero();
    // As when it went with the partition of its day.
    UUID second = accepted(job(until(Until.EXPIRED)));
    jdbc.sql("update unique_key set job = uuid_floor(now() - interval '9 days') where job = ?")
        .param(second)
        .update();
    assertThat(accepted(job(until(Until.EXPIRED)))).isNotEqualTo(second);
  }

  @Test
  void whoRejectsIsToldWhoHasTheKey() {
    Unique reject = unique("k", Until.FINISHED, OnConflict.REJECT);
    UUID first = accepted(job(reject));
    assertThat(submit(job(reject))).isEqualTo(new Decision.Duplicate(0, first));
    assertThat(permits.depth(queue)).isEqualTo(1);
  }

  @Test
  void aBatchIsRefusedWholeAndHasTakenNothing() {
    UUID first = accepted(job(until(Until.FINISHED)));
    Unique other = unique("other", Until.FINISHED, OnConflict.EXISTING);
    Unique reject = unique("k", Until.FINISHED, OnConflict.REJECT);
    assertThat(submit(job(other), plain(), job(reject)))
        .isEqualTo(new Decision.Duplicate(2, first));
    assertThat(rows()).isEqualTo(1);
    assertThat(permits.depth(queue)).isEqualTo(1);
    accepted(job(other));
  }

  @Test
  void ofABatchThatIsNotWholeTheOthersAreWritten() {
    UUID first = accepted(job(until(Until.FINISHED)));
    Unique reject = unique("k", Until.FINISHED, OnConflict.REJECT);
    Decision decision =
        admission.admitEach(queue, List.of(job(until(Until.FINISHED)), plain(), job(reject)), null);
    List<Placed> placed = ((Decision.Merged) decision).jobs();
    assertThat(placed.stream().map(Placed::as))
        .containsExactly(As.EXISTING, As.WRITTEN, As.DUPLICATE);
    assertThat(placed.getFirst().id()).isEqualTo(first);
    assertThat(placed.getLast().id()).isEqualTo(first);
    assertThat(rows()).isEqualTo(2);
    assertThat(permits.depth(queue)).isEqualTo(2);
  }

  @Test
  void twoJobsOfABatchWithOneKeyAreOneJob() {
    Unique replace = unique("k", Until.FINISHED, OnConflict.REPLACE);
    List<Placed> placed =
        ((Decision.Merged) submit(job(replace), job(until(Until.FINISHED)), newer(replace))).jobs();
    assertThat(placed.stream().map(Placed::as))
        .containsExactly(As.WRITTEN, As.EXISTING, As.REPLACED);
    assertThat(placed.stream().map(Placed::id).distinct()).hasSize(1);
    assertThat(claim().payload()).isEqualTo(NEWER);
    Unique reject = unique("r", Until.FINISHED, OnConflict.REJECT);
    assertThat(submit(job(reject), job(reject))).isEqualTo(new Decision.Duplicate(1, null));
  }

  @Test
  void aWaitingJobDoesWhatReplacesIt() {
    Unique replace = unique("k", Until.FINISHED, OnConflict.REPLACE);
    UUID now = accepted(job(replace));
    Job before = job(now);
    assertThat(submit(newer(replace))).isEqualTo(merged(As.REPLACED, now));
    Job after = job(now);
    assertThat(after.payload()).isEqualTo(NEWER);
    assertThat(after.version()).isEqualTo(before.version() + 1);
    assertThat(after.rank()).isEqualTo(before.rank());
    assertThat(claim().payload()).isEqualTo(NEWER);
    assertThat(submit(job(replace))).isEqualTo(new Decision.Duplicate(0, now));

    Unique later = unique("later", Until.FINISHED, OnConflict.REPLACE);
    UUID scheduled = accepted(Sample.noop().delay(Duration.ofHours(1)).unique(later));
    assertThat(submit(newer(later))).isEqualTo(merged(As.REPLACED, scheduled));
    assertThat(job(scheduled).state()).isEqualTo(JobState.SCHEDULED);
    assertThat(job(scheduled).payload()).isEqualTo(NEWER);
    assertThat(job(scheduled).version()).isEqualTo(2);
  }

  @Test
  void aClaimRunsAllOfWhatReplacedAJobOrNothingOfIt() {
    Unique replace = unique("k", Until.FINISHED, OnConflict.REPLACE);
    for (int i = 0; i < 60; i++) {
      UUID id = accepted(job(replace));
      CompletableFuture<List<Lease>> claim =
          CompletableFuture.supplyAsync(() -> leases.claim(queue, 1, false, Set.of()));
      Decision decision = submit(newer(replace));
      List<Lease> claimed = claim.join();
      Lease lease = claimed.isEmpty() ? claim() : claimed.getFirst();
      assertThat(decision)
          .isEqualTo(
              lease.payload() == null ? new Decision.Duplicate(0, id) : merged(As.REPLACED, id));
      assertThat(job(id).payload()).isEqualTo(lease.payload());
      leases.settle(lease, new Outcome.Succeeded(null)).join();
    }
  }

  @Test
  void whoFindsTheJobJustBeingClaimedWaitsForTheClaim() throws Exception {
    Unique replace = unique("k", Until.STARTED, OnConflict.REPLACE);
    UUID id = accepted(job(replace));
    try (Connection claim = database.getConnection()) {
      claim.setAutoCommit(false);
      execute(claim, "select id from ready where id = '" + id + "' for update");
      CompletableFuture<Decision> decision =
          CompletableFuture.supplyAsync(() -> submit(newer(replace)));
      awaitBlocked();
      // It holds no key meanwhile, so the claim can let go of its own.
      execute(claim, "delete from unique_key where job = '" + id + "'");
      execute(claim, "update ready set version = version + 1 where id = '" + id + "'");
      claim.commit();
      assertThat(accepted(decision.join())).isNotEqualTo(id);
    }
  }

  private static void execute(Connection connection, String statement) throws SQLException {
    try (var plain = connection.createStatement()) {
      plain.execute(statement);
    }
  }

  private void awaitBlocked() {
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () ->
                jdbc.sql("select count(*) from pg_locks where not granted")
                    .query(Integer.class)
                    .single(),
            blocked -> blocked > 0);
  }

  @Test
  void aSubmitMergesIntoAJobThatHasNotEndedOrMakesANewOne() {
    UUID id = accepted(job(until(Until.FINISHED)));
    for (int i = 0; i < 60; i++) {
      Lease lease = claim();
      CompletableFuture<?> end = leases.settle(lease, new Outcome.Succeeded(null));
      Decision decision = submit(job(until(Until.FINISHED)));
      end.join();
      if (decision.equals(existing(id))) {
        assertThat(job(id).state()).isEqualTo(JobState.SUCCEEDED);
        id = accepted(job(until(Until.FINISHED)));
      } else {
        id = accepted(decision);
      }
    }
  }

  @Test
  void whoDiesBeforeTheCommitHasNoKey() throws Exception {
    try (Connection dying = database.getConnection()) {
      dying.setAutoCommit(false);
      execute(
          dying,
          "insert into unique_key (queue, key, job, until) values ('%s', 'k', '%s', 'finished')"
              .formatted(queue, UUID.randomUUID()));
      CompletableFuture<Decision> decision =
          CompletableFuture.supplyAsync(() -> submit(job(until(Until.FINISHED))));
      awaitBlocked();
      dying.rollback();
      accepted(decision.join());
    }
  }

  @Test
  void whoKeepsAKeyAndDoesNotCommitIsNotWaitedForForLong() throws Exception {
    try (Connection frozen = database.getConnection()) {
      frozen.setAutoCommit(false);
      execute(
          frozen,
          "insert into unique_key (queue, key, job, until) values ('%s', 'k', '%s', 'finished')"
              .formatted(queue, UUID.randomUUID()));
      assertThat(submit(job(until(Until.FINISHED)))).isEqualTo(new Decision.Overloaded());
      frozen.rollback();
    }
    accepted(job(until(Until.FINISHED)));
  }

  @Test
  void theSameRequestIsAnsweredAsItWasFirst() {
    UUID first = accepted(job(until(Until.FINISHED)));
    assertThat(keyed("a")).isEqualTo(existing(first));
    succeed();
    assertThat(keyed("a")).isEqualTo(new Decision.Replayed(List.of(first), Set.of(first)));
    UUID second = accepted(keyed("b"));
    assertThat(keyed("b")).isEqualTo(new Decision.Replayed(List.of(second), Set.of()));
    assertThat(rows()).isEqualTo(2);
    assertThat(permits.depth(queue)).isEqualTo(1);
  }

  private Decision keyed(String key) {
    RequestKey request =
        RequestKey.of("POST " + queue, key, "body".getBytes(StandardCharsets.UTF_8));
    return admission.admit(queue, List.of(job(until(Until.FINISHED))), request);
  }

  @Test
  void fiftyTimesTheSameRequestIsOneJob() {
    List<Decision> decisions = inParallel(Collections.nCopies(50, () -> keyed("race")));
    assertThat(decisions).filteredOn(Decision.Accepted.class::isInstance).hasSize(1);
    assertThat(decisions).filteredOn(Decision.Replayed.class::isInstance).hasSize(49);
    assertThat(rows()).isEqualTo(1);
  }

  @Test
  void aFinishedJobThatIsSentBackNeedsItsKey() {
    UUID first = accepted(job(until(Until.FINISHED)));
    succeed();
    UUID second = accepted(job(until(Until.FINISHED)));
    assertThat(redrives.redrive(job(first))).isEqualTo(new Redrive.Duplicate(second));
    succeed();
    assertThat(redrives.redrive(job(first))).isEqualTo(new Redrive.Done(1));
    assertThat(submit(job(until(Until.FINISHED)))).isEqualTo(existing(first));
    assertThat(permits.depth(queue)).isEqualTo(1);
  }

  @Test
  void ofManyThatAreSentBackTheNewestTakesTheKey() {
    Set<UUID> ended = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      ended.add(accepted(job(until(Until.FINISHED))));
      succeed();
    }
    UUID plain = accepted(plain());
    succeed();
    List<JobRef> all =
        Stream.concat(ended.stream(), Stream.of(plain)).map(id -> new JobRef(id, null)).toList();
    assertThat(redrives.redrive(queue, all, JobState.FINAL, Duration.ZERO, Duration.ZERO))
        .isEqualTo(new Redrive.Done(2));
    UUID newest = ended.stream().max(UUID::compareTo).orElseThrow();
    assertThat(submit(job(until(Until.FINISHED)))).isEqualTo(existing(newest));
    assertThat(permits.depth(queue)).isEqualTo(2);
  }
}
