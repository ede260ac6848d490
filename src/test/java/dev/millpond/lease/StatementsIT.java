package dev.millpond.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.admission.Admission;
import dev.millpond.admission.Decision;
import dev.millpond.admission.DependsOn;
import dev.millpond.admission.DependsOn.Known;
import dev.millpond.admission.Redrives;
import dev.millpond.admission.Unique;
import dev.millpond.admission.Unique.Until;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.lease.ModelJob.StartBy;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.queue.RetryPolicy;
import dev.millpond.queue.Workers;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import java.lang.reflect.Field;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.ClassPathScanningCandidateComponentProvider;
import org.springframework.core.type.filter.RegexPatternTypeFilter;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.ScheduledAnnotationBeanPostProcessor;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Every statement that changes a job is tried on a job in each state, and agrees with the table in
 * {@link JobState} and with the rules of the model, {@link LeaseRules}.
 */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class StatementsIT {

  private static final AtomicInteger queues = new AtomicInteger();
  private static final JobError ERROR = new JobError("broken", "it broke");
  private static final Duration LATER = Duration.ofHours(1);

  /** What writes to a table that says of a job what it is, where it is or what it did. */
  private static final Pattern CHANGES_JOBS =
      Pattern.compile(
          "(insert into|delete from|update|drop_partitions\\()"
              + " *(job|job_log|attempt|ready|delayed|lease|finished|:day)\\b");

  @Autowired private Admission admission;
  @Autowired private Redrives redrives;
  @Autowired private Leases leases;
  @Autowired private Jobs jobs;
  @Autowired private Queues settings;
  @Autowired private JdbcClient jdbc;
  @Autowired private LeaseReaper reaper;
  @Autowired private KeySlots keySlots;
  @Autowired private ApplicationContext context;

  @Autowired
  @Qualifier("workerLoop")
  private Object loop;

  @Autowired private ScheduledAnnotationBeanPostProcessor schedule;

  private QueueName queue = QueueName.DEFAULT;

  /** A job in some state, and a lease of it: the one that is held, or one that is long lost. */
  record Subject(UUID id, Lease lease) {}

  /** What lies behind a job. */
  enum Past {
    NOTHING,
    /** It has failed once, and its worker has died twice. */
    FAILURE_AND_RECOVERIES,
    /** It has a concurrency key of limit 1, and nobody else has. */
    KEY,
    /** It has one, and another job of the key runs since before it would have been its turn. */
    KEY_OF_ANOTHER;

    boolean isKeyed() {
      return this == KEY || this == KEY_OF_ANOTHER;
    }
  }

  /** What the model says of a change: the job after it, or nothing if it is gone. */
  private interface Rule {
    Optional<ModelJob> after(ModelJob job, Lease lease);
  }

  private static final LeaseRules RULES = new LeaseRules();

  private static Rule rule(UnaryOperator<ModelJob> rule) {
    return (job, lease) -> Optional.of(rule.apply(job));
  }

  private static Rule settles(Outcome outcome) {
    return (job, lease) ->
        Optional.of(RULES.settle(job, 1, Leases.row(lease.held(), outcome, new UUID(0, 0))));
  }

  private static ModelJob late(ModelJob job) {
    return job.attempt() == 0 ? job.startBy(StartBy.PASSED) : job;
  }

  /** Something that is done to jobs, by a statement, and what the model says of it. */
  @SuppressWarnings("ImmutableEnumChecker") // the changes are stateless
  enum Change {
    SUBMIT_ANOTHER(
        "AdmissionSql.SUBMIT",
        (it, s) -> it.leases.cancel(it.submit(Sample.noop())),
        rule(job -> job)),
    CLAIM(
        "LeaseSql.CLAIM",
        (it, s) -> it.leases.claim(it.queue, 1, false, Set.of()),
        rule(job -> RULES.claim(job, false))),
    CLAIM_SUSPECT(
        "LeaseSql.CLAIM",
        (it, s) -> it.leases.claim(it.queue, 1, true, Set.of()),
        rule(job -> RULES.claim(job, true))),
    CLAIM_WITHIN_A_LIMIT(
        "LeaseSql.CLAIM_WITHIN",
        (it, s) -> {
          it.settings.change(
              it.queue,
              new QueueChange(
                  new Setting.Keep<>(),
                  new Setting.Set<>(1),
                  new Setting.Keep<>(),
                  new Setting.Keep<>(),
                  new Setting.Keep<>(),
                  new Setting.Keep<>()));
          it.leases.claim(it.queue, 1, false, Set.of());
        },
        rule(job -> RULES.claim(job, false))),
    CLAIM_TOO_LATE(
        "LeaseSql.CLAIM",
        (it, s) -> {
          it.letStartByPass(s.id());
          it.leases.claim(it.queue, 1, false, Set.of());
        },
        rule(job -> RULES.claim(late(job), false))),
    SUCCEED(new Outcome.Succeeded(null)),
    FAIL_FOR_GOOD(new Outcome.Failed(ERROR, true, null)),
    FAIL_AND_RETRY_LATER(new Outcome.Failed(ERROR, false, LATER)),
    FAIL_AND_RETRY_NOW(new Outcome.Failed(ERROR, false, Duration.ZERO)),
    CONFIRM_CANCEL(new Outcome.Cancelled()),
    RELEASE(new Outcome.Released(Duration.ZERO)),
    RELEASE_FOR_LATER(new Outcome.Released(LATER)),
    PROGRESS(
        "LeaseSql.PROGRESS",
        (it, s) -> it.leases.progress(s.lease(), 50, "half"),
        rule(job -> job)),
    LOG(
        "LeaseSql.LOG",
        (it, s) -> it.leases.log(s.lease(), List.of(new LoggedLine(1, Instant.now(), "a line"))),
        rule(job -> job)),
    HEARTBEAT("LeaseSql.LOG_WITHIN", (it, s) -> it.heartbeat(s), rule(job -> job)),
    PULL(
        "LeaseSql.CLAIM",
        (it, s) -> it.pull(Workers.PULL, Set.of()),
        rule(job -> RULES.claim(job, job.recoveries() > 0))),
    PULL_A_TYPE(
        "LeaseSql.CLAIM",
        (it, s) -> it.pull(Workers.BOTH, Set.of("demo.noop", "x")),
        rule(job -> RULES.claim(job, job.recoveries() > 0))),
    SUCCEED_BY_TOKEN(
        "LeaseSql.SETTLE",
        (it, s) -> it.settleByToken(s, new Outcome.Succeeded(null)),
        settles(new Outcome.Succeeded(null))),
    FAIL_BY_TOKEN(
        "LeaseSql.SETTLE",
        (it, s) -> it.settleByToken(s, new Outcome.Failed(ERROR, false, LATER)),
        settles(new Outcome.Failed(ERROR, false, LATER))),
    TIME_OUT(
        "LeaseSql.SETTLE",
        (it, s) -> it.timeOut(),
        settles(new Outcome.Failed(ERROR, false, LATER))),
    RENEW("LeaseSql.RENEW", (it, s) -> it.leases.renew(List.of(s.lease())), rule(job -> job)),
    EXPIRE("LeaseSql.EXPIRE", (it, s) -> it.letLeasesExpire(), rule(RULES::expire)),
    START_AGAIN(
        "LeaseSql.EXPIRE",
        (it, s) -> {
          it.jdbc.sql("update lease set incarnation = gen_random_uuid()").update();
          it.leases.expire(true);
        },
        rule(RULES::expire)),
    MISS_THE_START(
        "LeaseSql.EXPIRE_WAITING",
        (it, s) -> {
          it.letStartByPass(s.id());
          it.leases.expireWaiting();
        },
        rule(job -> RULES.missStart(late(job)))),
    BECOME_DUE(
        "LeaseSql.POLL",
        (it, s) -> {
          it.jdbc
              .sql(
                  "update delayed set due_at = now() where id = ? and key is null and missing is"
                      + " null")
              .param(s.id())
              .update();
          it.leases.poll();
        },
        rule(RULES::becomeReady)),
    LOOK_AT_ITS_KEY(
        "KeySlotSql.PROMOTE",
        (it, s) -> {
          it.jdbc.sql("insert into key_note values (?, 'key')").param(it.queue.value()).update();
          it.keySlots.turn();
        },
        rule(job -> job)),
    PREDECESSOR_SUCCEEDS(
        "DependencySql.RESOLVE",
        (it, s) -> it.tell("succeeded"),
        rule(job -> RULES.resolve(job, true))),
    PREDECESSOR_FAILS(
        "DependencySql.RESOLVE",
        (it, s) -> it.tell("failed"),
        rule(job -> RULES.resolve(job, false))),
    CANCEL("JobVerbSql.CANCEL", (it, s) -> it.leases.cancel(s.id()), rule(RULES::cancel)),
    HURRY("JobVerbSql.HURRY", (it, s) -> it.leases.hurry(s.id()), rule(RULES::becomeReady)),
    REDRIVE(
        "JobVerbSql.REDRIVE",
        (it, s) -> it.redrives.redrive(it.jobs.find(s.id()).orElseThrow()),
        rule(job -> RULES.redrive(job, RetryPolicy.DEFAULT.maxAttempts()))),
    REDRIVE_LATER(
        "JobVerbSql.REDRIVE",
        (it, s) ->
            it.redrives.redrive(
                it.queue, List.of(new JobRef(s.id(), null)), JobState.FINAL, LATER, LATER),
        rule(job -> RULES.redriveLater(job, RetryPolicy.DEFAULT.maxAttempts()))),
    REPLACE("UniqueSql.REPLACE", (it, s) -> it.replace(s.id()), rule(job -> job)),
    REMOVE(
        "JobVerbSql.REMOVE",
        (it, s) -> it.leases.remove(s.id()),
        (job, lease) -> Optional.of(job).filter(kept -> !kept.state().isFinal())),
    OUTLIVE_ITS_QUEUES_RETENTION(
        "RetentionSql.REMOVE",
        (it, s) -> it.removeOld(),
        (job, lease) -> Optional.of(job).filter(kept -> !kept.state().isFinal())),
    OUTLIVE_ITS_RETENTION(
        "RetentionSql.DROP",
        (it, s) -> it.dropTheDayOf(s.id()),
        (job, lease) -> Optional.of(job).filter(kept -> !kept.state().isFinal()));

    private final String statement;
    private final BiConsumer<StatementsIT, Subject> change;
    private final Rule rule;

    Change(String statement, BiConsumer<StatementsIT, Subject> change, Rule rule) {
      this.statement = statement;
      this.change = change;
      this.rule = rule;
    }

    Change(Outcome outcome) {
      this("LeaseSql.SETTLE", (it, s) -> it.settle(s, outcome), settles(outcome));
    }
  }

  /** Each statement to which a concurrency key is something, once or twice. */
  private static final Set<Change> OF_KEYS =
      EnumSet.of(
          Change.CLAIM,
          Change.CLAIM_TOO_LATE,
          Change.PULL_A_TYPE,
          Change.SUCCEED,
          Change.FAIL_AND_RETRY_LATER,
          Change.FAIL_AND_RETRY_NOW,
          Change.RELEASE_FOR_LATER,
          Change.EXPIRE,
          Change.MISS_THE_START,
          Change.BECOME_DUE,
          Change.LOOK_AT_ITS_KEY,
          Change.CANCEL,
          Change.HURRY,
          Change.REDRIVE,
          Change.REDRIVE_LATER);

  @BeforeEach
  void newQueue() {
    queue = new QueueName("statements-" + queues.incrementAndGet());
    // Nothing is done but what the test does.
    schedule.postProcessBeforeDestruction(reaper, "leaseReaper");
    schedule.postProcessBeforeDestruction(loop, "workerLoop");
    await()
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .until(
            () ->
                jdbc.sql("select now() - pg_postmaster_start_time() > interval '5 s'")
                    .query(Boolean.class)
                    .single());
  }

  /** What a pull worker claims, of a queue that has such for the moment. */
  private void pull(Workers workers, Set<String> types) {
    settings.change(queue, workers(workers));
    leases.claim(new Claim(queue, "w", 1, Duration.ofMinutes(1), types));
    settings.change(queue, workers(Workers.SERVICE));
  }

  private static QueueChange workers(Workers workers) {
    return new QueueChange(
        new Setting.Keep<>(),
        new Setting.Keep<>(),
        new Setting.Keep<>(),
        new Setting.Set<>(workers),
        new Setting.Keep<>(),
        new Setting.Keep<>());
  }

  private void heartbeat(Subject subject) {
    leases.heartbeat(
        List.of(
            new Heartbeat(
                subject.id(),
                subject.lease().token(),
                Duration.ofMinutes(1),
                50,
                "half",
                List.of("half"))));
  }

  private void settleByToken(Subject subject, Outcome outcome) {
    leases
        .settle(List.of(new Ending(subject.id(), subject.lease().token(), outcome)))
        .getFirst()
        .join();
  }

  /** The attempt that is held, whose retry surely waits for a time. */
  private void timeOut() {
    jdbc.sql("update job set initial_delay_ms = 3600000, max_delay_ms = 3600000").update();
    jdbc.sql("update lease set ends_at = now() - interval '1 s'").update();
    leases.timeOut();
  }

  private void settle(Subject subject, Outcome outcome) {
    leases.settle(subject.lease(), outcome).join();
  }

  private UUID submit(Sample sample) {
    return submit(sample, DependsOn.NOTHING);
  }

  private UUID submit(Sample sample, DependsOn dependsOn) {
    Decision decision =
        admission.admit(queue, List.of(sample.submission().dependingOn(dependsOn)), null);
    return ((Decision.Accepted) decision).jobs().getFirst().id();
  }

  /** By a submit with the unique key that the job holds. */
  private void replace(UUID id) {
    jdbc.sql(
            """
            insert into unique_key (job, queue, key, until, expires_at)
            values (:job, :queue, 'k', 'expired', now() + interval '1 min')
            """)
        .param("job", id)
        .param("queue", queue.value())
        .update();
    Unique unique =
        new Unique("k", Until.EXPIRED, Duration.ofMinutes(1), Unique.OnConflict.REPLACE);
    admission.admit(queue, List.of(Sample.noop().unique(unique)), null);
  }

  private void letLeasesExpire() {
    jdbc.sql("update lease set expires_at = now() - interval '1 s'").update();
    leases.expire(false);
  }

  /** As if the job had had a startBy; one that has started has none any more. */
  private void letStartByPass(UUID id) {
    for (String table : List.of("ready", "delayed")) {
      jdbc.sql(
              "update %s set start_by = now() - interval '1 s' where id = ? and attempt = 0"
                  .formatted(table))
          .param(id)
          .update();
    }
  }

  /** As if its day were long ago: nothing else that is alive was submitted on it. */
  private void dropTheDayOf(UUID id) {
    LocalDate day = LocalDate.ofInstant(JobIds.submittedAt(id), ZoneOffset.UTC);
    Object sql = context.getBean("retentionSql");
    ReflectionTestUtils.invokeMethod(sql, "drop", day, Instant.now().plusSeconds(3_600));
    ReflectionTestUtils.invokeMethod(sql, "create", day);
  }

  private void removeOld() {
    ReflectionTestUtils.invokeMethod(
        context.getBean("retentionSql"),
        "remove",
        queue,
        new UUID(0, 0),
        Instant.now().plusSeconds(3_600));
  }

  private Lease claim(boolean suspect) {
    return leases.claim(queue, 1, suspect, Set.of()).getFirst();
  }

  private UUID submitted(Past past) {
    UUID id = submit(sample(past));
    keySlots.turn();
    if (past == Past.FAILURE_AND_RECOVERIES) {
      settle(new Subject(id, claim(false)), new Outcome.Failed(ERROR, false, Duration.ZERO));
      claim(false);
      letLeasesExpire();
      claim(true);
      letLeasesExpire();
    }
    return id;
  }

  private static Sample sample(Past past) {
    return past.isKeyed() ? Sample.noop().concurrency("key", 1) : Sample.noop();
  }

  /** Another job of the key has its slot, and runs. */
  private void letAnotherRun() {
    UUID other = submit(sample(Past.KEY_OF_ANOTHER));
    keySlots.turn();
    assertThat(claim(false).id()).isEqualTo(other);
  }

  /** Brings a new job into the state, by the ways that lead there. */
  private Subject in(JobState state, Past past) {
    boolean another = past == Past.KEY_OF_ANOTHER;
    if (another && !state.isFinal()) {
      letAnotherRun();
    }
    Subject subject = reached(state, past);
    if (another && state.isFinal()) {
      letAnotherRun();
    }
    return subject;
  }

  private Subject reached(JobState state, Past past) {
    if (state == JobState.SCHEDULED) {
      return withoutLease(submit(sample(past).delay(LATER)));
    }
    if (state == JobState.BLOCKED) {
      return withoutLease(blocked());
    }
    if (state == JobState.EXPIRED) {
      UUID late = submit(sample(past).startBy(Instant.now().minusSeconds(1)));
      keySlots.turn();
      leases.expireWaiting();
      return withoutLease(late);
    }
    UUID id = submitted(past);
    if (state == JobState.QUEUED) {
      return withoutLease(id);
    }
    Subject subject = new Subject(id, claim(past == Past.FAILURE_AND_RECOVERIES));
    switch (state) {
      case SUCCEEDED -> settle(subject, new Outcome.Succeeded(null));
      case FAILED -> settle(subject, new Outcome.Failed(ERROR, true, null));
      case RETRYING -> settle(subject, new Outcome.Failed(ERROR, false, LATER));
      case CANCELLING -> leases.cancel(id);
      case CANCELLED -> {
        leases.cancel(id);
        settle(subject, new Outcome.Cancelled());
      }
      case RUNNING, SCHEDULED, BLOCKED, QUEUED, EXPIRED -> {}
    }
    return subject;
  }

  /** A job that waits for one of another queue, which nothing but {@link #tell} ends. */
  private UUID blocked() {
    QueueName mine = queue;
    queue = new QueueName(mine + "-before");
    UUID before = submit(Sample.noop().delay(LATER));
    queue = mine;
    return submit(Sample.noop(), new DependsOn(null, List.of(new Known(before)), false));
  }

  /** All that is waited for ends so. */
  private void tell(String state) {
    jdbc.sql(
            """
            with gone as (
              delete from delayed
              where id in (select predecessor from awaited) and missing is null
              returning id, version, attempt, recoveries, max_attempts, queue
            ), booked as (
              insert into room (queue, account, waiting, runnable, granted)
              select queue, gen_random_uuid(), -1, 0, 0 from gone
            )
            insert into finished (id, finished_at, version, attempt, recoveries, max_attempts, state)
            select id, now(), version + 1, attempt, recoveries, max_attempts, ? from gone
            """)
        .param(state)
        .update();
    ReflectionTestUtils.invokeMethod(context.getBean("dependencyLoop"), "turn");
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

  private ModelJob model(Job job) {
    boolean leased = job.state() == JobState.RUNNING || job.state() == JobState.CANCELLING;
    return new ModelJob(
        job.state(),
        leased ? 1 : 0,
        1,
        job.attempt(),
        job.recoveries(),
        job.maxAttempts(),
        StartBy.NONE,
        job.concurrency() == null ? 0 : job.concurrency().limit(),
        jdbc.sql("select count(*) from key_slot_status where id = ? and taken")
                .param(job.id())
                .query(Integer.class)
                .single()
            > 0);
  }

  /** What of a job the model and the database can both tell. */
  private static ModelJob comparable(ModelJob job) {
    return job.startBy(StartBy.NONE).tokens(job.token() > 0 ? 1 : 0, 1);
  }

  static Stream<Arguments> changesInStates() {
    return Stream.of(Change.values())
        .flatMap(
            change ->
                Stream.of(JobState.values())
                    .flatMap(
                        state ->
                            pasts(state)
                                .filter(past -> !past.isKeyed() || OF_KEYS.contains(change))
                                .map(past -> Arguments.of(change, state, past))));
  }

  private static Stream<Past> pasts(JobState state) {
    return Stream.of(Past.values())
        .filter(
            past ->
                switch (past) {
                  case NOTHING -> true;
                  // One final state is as another here, and a blocked one has no place of its key.
                  case KEY ->
                      state != JobState.BLOCKED && (!state.isFinal() || state == JobState.FAILED);
                  // Before its first start nothing can have happened to a job.
                  case FAILURE_AND_RECOVERIES ->
                      state != JobState.SCHEDULED
                          && state != JobState.BLOCKED
                          && state != JobState.EXPIRED;
                  // Where it has the slot itself nobody else has.
                  case KEY_OF_ANOTHER ->
                      state == JobState.SCHEDULED
                          || state == JobState.QUEUED
                          || state == JobState.FAILED;
                });
  }

  @ParameterizedTest(name = "{0} of a job that is {1}, behind it: {2}")
  @MethodSource("changesInStates")
  void aStatementChangesAJobOnlyAsTheTableAndTheModelSay(Change change, JobState state, Past past) {
    Subject subject = in(state, past);
    Job before = jobs.find(subject.id()).orElseThrow();
    assertThat(before.state()).isEqualTo(state);

    ModelJob from = model(before);
    change.change.accept(this, subject);
    if (past.isKeyed()) {
      // What this node does by itself, too, and not at a time that is known.
      keySlots.turn();
    }

    Optional<Job> found = jobs.find(subject.id());
    assertThat(found.map(this::model))
        .isEqualTo(
            change
                .rule
                .after(from, subject.lease())
                .map(job -> past == Past.KEY ? RULES.promote(job) : job)
                .map(StatementsIT::comparable));
    found.ifPresent(after -> assertTable(change, before, after));
    endAll();
  }

  private static void assertTable(Change change, Job before, Job after) {
    JobState state = before.state();
    if (after.state() == state) {
      boolean tells = Set.of(Change.PROGRESS, Change.HEARTBEAT, Change.REPLACE).contains(change);
      boolean progressed = tells && before.version() < after.version();
      assertThat(after.version()).isEqualTo(before.version() + (progressed ? 1 : 0));
    } else {
      assertThat(state.mayBecome(after.state())).as(state + " to " + after.state()).isTrue();
      assertThat(after.version()).isGreaterThan(before.version());
    }
  }

  /** Nothing of this test waits or runs for the next one, also not who comes out of a line now. */
  private void endAll() {
    List<@Nullable UUID> alive;
    do {
      alive =
          jdbc.sql(
                  "select id from ready union all select id from delayed union all select id from"
                      + " lease")
              .query(UUID.class)
              .list();
      alive.forEach(id -> leases.cancel(Objects.requireNonNull(id)));
      letLeasesExpire();
    } while (!alive.isEmpty());
  }

  @Test
  void noStatementThatChangesAJobIsLeftOut() {
    ClassPathScanningCandidateComponentProvider sql =
        new ClassPathScanningCandidateComponentProvider(false);
    sql.addIncludeFilter(new RegexPatternTypeFilter(Pattern.compile(".*Sql")));
    Set<String> statements =
        sql.findCandidateComponents("dev.millpond").stream()
            .map(
                found ->
                    ClassUtils.resolveClassName(String.valueOf(found.getBeanClassName()), null))
            .flatMap(type -> Stream.of(type.getDeclaredFields()))
            .filter(field -> field.getType() == String.class && changesJobs(field))
            .map(StatementsIT::name)
            .collect(Collectors.toSet());
    assertThat(Stream.of(Change.values()).map(change -> change.statement).distinct())
        .containsExactlyInAnyOrderElementsOf(statements);
  }

  private static boolean changesJobs(Field field) {
    field.setAccessible(true);
    return CHANGES_JOBS
        .matcher((String) Objects.requireNonNull(ReflectionUtils.getField(field, null)))
        .find();
  }

  private static String name(Field field) {
    return field.getDeclaringClass().getSimpleName() + "." + field.getName();
  }
}
