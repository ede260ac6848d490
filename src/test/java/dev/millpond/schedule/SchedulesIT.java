package dev.millpond.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.job.DatabaseClock;
import dev.millpond.job.Job;
import dev.millpond.job.JobFilter;
import dev.millpond.job.Jobs;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.schedule.Firing.State;
import dev.millpond.schedule.FiringSql.Claimed;
import dev.millpond.schedule.FiringSql.Due;
import dev.millpond.schedule.FiringSql.Planned;
import dev.millpond.schedule.Schedule.Settings;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.assertj.core.api.Assertions;
import org.assertj.core.data.TemporalUnitOffset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

/** Schedules on the real database. Nobody works on their jobs, so that these stay as submitted. */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.schedule.max=3"})
@Timeout(60)
class SchedulesIT {

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final AtomicInteger names = new AtomicInteger();

  @Autowired private Schedules schedules;
  @Autowired private ScheduleSql settings;
  @Autowired private FiringSql sql;
  @Autowired private Firings firings;
  @Autowired private FiringLoop loop;
  @Autowired private Queues queues;
  @Autowired private Jobs jobs;
  @Autowired private Leases leases;
  @Autowired private DatabaseClock clock;
  @Autowired private JdbcClient jdbc;
  @Autowired private DataSource database;

  private QueueName queue = QueueName.DEFAULT;
  private String name = "";

  @BeforeEach
  void newQueue() {
    name = "schedule-" + names.incrementAndGet();
    queue = new QueueName(name);
  }

  @AfterEach
  void deleteAll() {
    schedules.list("", 500).forEach(one -> schedules.delete(one.name()));
  }

  private Settings settings(DueTimes dueTimes, Misfire misfire, Overlap overlap) {
    return new Settings(dueTimes, queue, Sample.noop().submission(), misfire, overlap, false);
  }

  private Schedule create(DueTimes dueTimes, Misfire misfire, Overlap overlap) {
    return schedules.create(name, settings(dueTimes, misfire, overlap)).orElseThrow();
  }

  private Every every(Duration period) {
    return new Every(period, schedules.now());
  }

  /** Not due while a test runs, but 3 h 5 min, 2 h 5 min, 1 h 5 min and 5 min ago. */
  private Every hourly() {
    return new Every(HOUR, schedules.now().minus(Duration.ofMinutes(245)));
  }

  /** As if no node had been there for so long. */
  private void missed(Schedule schedule, Duration away) {
    jdbc.sql(
            """
            update schedule
            set fired_to = now() - :away_s * interval '1 s', revision = revision + 1, updated_at = now()
            where id = :id
            """)
        .param("away_s", away.toSeconds())
        .param("id", schedule.id())
        .update();
    loop.tell(schedule.id());
  }

  private List<Firing> inOrder(Schedule schedule) {
    List<Firing> last = new ArrayList<>(schedules.firings(schedule, 500));
    Collections.reverse(last);
    return last;
  }

  private List<State> states(Schedule schedule) {
    return inOrder(schedule).stream().map(Firing::state).toList();
  }

  private void awaitStates(Schedule schedule, State... states) {
    await()
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> assertThat(states(schedule)).containsExactly(states));
  }

  /** Of the test's queue, in the order in which they were submitted. */
  private List<Job> submitted() {
    JobFilter filter = new JobFilter(queue.value(), null, null, null, Map.of(), null);
    return jobs.list(filter, null, 500, false).jobs().reversed();
  }

  private void cap(int cap) {
    queues.change(
        queue,
        new QueueChange(
            new Setting.Set<>(cap),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>(),
            new Setting.Keep<>()));
  }

  @Test
  void itFiresAtEachDueTimeAndNamesItInTheJob() {
    Schedule schedule = create(every(Duration.ofSeconds(1)), Misfire.SKIP, Overlap.ALLOW);
    await().atMost(SOON).until(() -> submitted().size() >= 3);
    schedules.delete(name);
    List<Job> fired = submitted();
    List<Instant> expected =
        schedule.settings().dueTimes().next(schedule.createdAt(), fired.size());
    assertThat(fired)
        .extracting(job -> Instant.parse(Objects.requireNonNull(job.labels().get("dueAt"))))
        .isEqualTo(expected);
    assertThat(fired)
        .allSatisfy(job -> assertThat(job.labels()).containsEntry("schedule", name))
        // Tens of milliseconds where the machine is idle.
        .allSatisfy(
            job ->
                assertThat(job.submittedAt())
                    .isAfterOrEqualTo(Instant.parse(job.labels().getOrDefault("dueAt", "")))
                    .isBefore(
                        Instant.parse(job.labels().getOrDefault("dueAt", "")).plusSeconds(1)));
  }

  @Test
  void byAllEachMissedDueTimeFiresInOrder() {
    Every hourly = hourly();
    Schedule schedule = create(hourly, Misfire.ALL, Overlap.ALLOW);
    missed(schedule, Duration.ofMinutes(190));
    awaitStates(schedule, State.FIRED, State.FIRED, State.FIRED, State.FIRED);
    assertThat(submitted())
        .extracting(job -> Instant.parse(job.labels().getOrDefault("dueAt", "")))
        .isEqualTo(hourly.next(schedules.now().minus(Duration.ofMinutes(190)), 4));
  }

  @Test
  void byOnceTheLastMissedDueTimeFiresForAll() {
    Schedule schedule = create(hourly(), Misfire.ONCE, Overlap.ALLOW);
    missed(schedule, Duration.ofMinutes(190));
    awaitStates(schedule, State.MISSED, State.MISSED, State.MISSED, State.FIRED);
    assertThat(inOrder(schedule).getFirst().reason()).isEqualTo("late");
    assertThat(submitted()).hasSize(1);
  }

  @Test
  void bySkipNothingFiresForWhatWasMissed() {
    Schedule schedule = create(hourly(), Misfire.SKIP, Overlap.ALLOW);
    missed(schedule, Duration.ofMinutes(190));
    awaitStates(schedule, State.MISSED, State.MISSED, State.MISSED, State.MISSED);
    assertThat(submitted()).isEmpty();
  }

  @Test
  void aDueTimeIsClaimedOnceHoweverManyNodesTry() {
    Schedule schedule = create(hourly(), Misfire.ALL, Overlap.ALLOW);
    Instant begin = schedules.now().minusSeconds(50);
    firedTo(schedule, begin);
    List<Instant> due = new Every(Duration.ofSeconds(1), begin).next(begin, 40);
    List<Claimed> claimed = Collections.synchronizedList(new ArrayList<>());
    Armed armed = settings.armed(List.of(schedule.id())).getFirst();
    try (ExecutorService nodes = Executors.newVirtualThreadPerTaskExecutor()) {
      IntStream.range(0, 6)
          .mapToObj(
              node ->
                  CompletableFuture.runAsync(
                      () -> {
                        for (int i = 0; i < due.size(); i++) {
                          // Some come late, and with several at once.
                          List<Instant> some = due.subList(Math.max(0, i - node), i + 1);
                          claimed.addAll(claim(armed, some));
                        }
                      },
                      nodes))
          .toList()
          .forEach(CompletableFuture::join);
    }
    List<Instant> won =
        claimed.stream().map(Claimed::dueAt).filter(Objects::nonNull).sorted().toList();
    assertThat(won).doesNotHaveDuplicates().isSubsetOf(due).endsWith(due.getLast());
    assertThat(settings.armed(List.of(schedule.id())).getFirst().firedTo())
        .isEqualTo(due.getLast());
    assertThat(inOrder(schedule)).extracting(Firing::dueAt).isEqualTo(won);
  }

  /** The service's own loop does not hear of it: nothing of the calendar is due since. */
  private void firedTo(Schedule schedule, Instant moment) {
    jdbc.sql("update schedule set fired_to = :moment where id = :id")
        .param("moment", moment.atOffset(ZoneOffset.UTC))
        .param("id", schedule.id())
        .update();
  }

  private List<Claimed> claim(Armed armed, List<Instant> due) {
    return sql.claim(due.stream().map(at -> new Planned(armed, new Plan(at, true), 0)).toList());
  }

  @Test
  void nothingIsClaimedBeforeTheDatabaseSaysItIsDueOrByOldSettingsOrInAPause() {
    Schedule schedule = create(hourly(), Misfire.ALL, Overlap.ALLOW);
    Armed armed = settings.armed(List.of(schedule.id())).getFirst();
    Instant due = clock.now().plusSeconds(30);
    assertThat(claim(armed, List.of(due))).extracting(Claimed::dueAt).containsOnlyNulls();
    Instant passed = clock.now();
    Armed old =
        new Armed(armed.id(), 0, armed.dueTimes(), armed.misfire(), false, armed.firedTo(), passed);
    assertThat(claim(old, List.of(passed))).extracting(Claimed::dueAt).containsOnlyNulls();
    jdbc.sql("update schedule set paused = true where id = :id").param("id", armed.id()).update();
    assertThat(claim(armed, List.of(passed))).extracting(Claimed::dueAt).containsOnlyNulls();
    assertThat(inOrder(schedule)).isEmpty();
  }

  @Test
  void whileAWinnerHoldsTheScheduleTheLoserDoesNotWaitAndLosesNothing() throws SQLException {
    Schedule schedule = create(hourly(), Misfire.ALL, Overlap.ALLOW);
    try (Connection winner = database.getConnection();
        Statement statement = winner.createStatement()) {
      winner.setAutoCommit(false);
      statement.execute("select from schedule where name = '" + name + "' for update");
      Armed armed = settings.armed(List.of(schedule.id())).getFirst();
      assertThat(claim(armed, List.of(clock.now()))).extracting(Claimed::dueAt).containsOnlyNulls();
      // The winner dies.
      winner.rollback();
    }
    missed(schedule, Duration.ofMinutes(10));
    awaitStates(schedule, State.FIRED);
  }

  @Test
  void whatADeadNodeHasLeftOpenFiresOnceWhereverItDied() {
    Schedule schedule = create(hourly(), Misfire.ALL, Overlap.ALLOW);
    Instant begin = schedules.now().minusSeconds(50);
    firedTo(schedule, begin);
    List<Instant> due = List.of(begin.plusSeconds(1), begin.plusSeconds(2));
    Armed armed = settings.armed(List.of(schedule.id())).getFirst();
    assertThat(claim(armed, due)).hasSize(2);
    // It died before the submit of the one, and after that of the other.
    Due second = new Due(schedule.id(), due.getLast(), clock.now());
    assertThat(firings.fire(settings.orders(List.of(schedule.id())).getFirst(), List.of(second)))
        .isEmpty();
    UUID job = submitted().getFirst().id();
    jdbc.sql(
            """
            update firing
            set state = 'open', job = null, decided_at = null, held_until = now() - interval '1 s'
            where schedule = :id
            """)
        .param("id", schedule.id())
        .update();
    awaitStates(schedule, State.FIRED, State.FIRED);
    assertThat(submitted()).hasSize(2);
    assertThat(inOrder(schedule).getLast().job()).isEqualTo(job);
  }

  @Test
  void whatIsRefusedIsTriedUntilTheNextDueTimeAndMissedThen() {
    cap(0);
    Schedule schedule = create(every(Duration.ofSeconds(2)), Misfire.SKIP, Overlap.ALLOW);
    await()
        .atMost(SOON)
        .until(
            () ->
                inOrder(schedule).stream()
                    .anyMatch(
                        firing ->
                            firing.state() == State.OPEN && "queue-full".equals(firing.reason())));
    await().atMost(SOON).until(() -> states(schedule).contains(State.MISSED));
    assertThat(inOrder(schedule).getFirst().reason()).isEqualTo("queue-full");
    cap(10);
    await().atMost(SOON).until(() -> states(schedule).contains(State.FIRED));
    assertThat(submitted()).isNotEmpty();
  }

  @Test
  void byOverlapSkipItWaitsForTheJobBefore() {
    Schedule schedule = create(every(Duration.ofSeconds(1)), Misfire.SKIP, Overlap.SKIP);
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(states(schedule)).startsWith(State.FIRED, State.SKIPPED));
    assertThat(submitted()).hasSize(1);
    leases.cancel(submitted().getFirst().id());
    await().atMost(SOON).until(() -> submitted().size() == 2);
    assertThat(states(schedule).stream().filter(State.SKIPPED::equals)).isNotEmpty();
  }

  @Test
  void nothingIsMadeUpForAfterAPauseOrAnotherCalendar() {
    Schedule schedule = create(hourly(), Misfire.ALL, Overlap.ALLOW);
    Settings now = schedule.settings();
    Settings paused =
        new Settings(now.dueTimes(), queue, now.job(), Misfire.ALL, Overlap.ALLOW, true);
    Schedule asleep = schedules.change(schedule, paused).orElseThrow();
    assertThat(schedules.change(schedule, now)).as("as it was before").isEmpty();
    jdbc.sql("update schedule set fired_to = now() - interval '3 hours' where id = :id")
        .param("id", schedule.id())
        .update();
    Schedule awake = schedules.change(asleep, now).orElseThrow();
    assertThat(settings.armed(List.of(awake.id())).getFirst().firedTo())
        .isCloseTo(clock.now(), within(Duration.ofSeconds(5)));
    jdbc.sql("update schedule set fired_to = now() - interval '3 hours' where id = :id")
        .param("id", schedule.id())
        .update();
    DueTimes halfHourly = new Every(Duration.ofMinutes(30), hourly().anchor());
    assertThat(schedules.change(awake, settings(halfHourly, Misfire.ALL, Overlap.ALLOW)))
        .isPresent();
    assertThat(settings.armed(List.of(awake.id())).getFirst().firedTo())
        .isCloseTo(clock.now(), within(Duration.ofSeconds(5)));
  }

  private static TemporalUnitOffset within(Duration duration) {
    return Assertions.within(duration);
  }

  @Test
  void theLastFiringsAreKeptAndOpenOnesStay() {
    Schedule schedule = create(hourly(), Misfire.ALL, Overlap.ALLOW);
    jdbc.sql(
            """
            insert into firing (schedule, due_at, decided_at, held_until, triggered, state)
            select :id, now() - n * interval '1 hour', case when n < 150 then now() end,
                   case when n = 150 then now() + interval '1 hour' end, false,
                   case when n < 150 then 'skipped' else 'open' end
            from generate_series(1, 150) as n
            """)
        .param("id", schedule.id())
        .update();
    sql.trim(List.of(schedule.id(), UUID.randomUUID()));
    assertThat(states(schedule)).hasSize(FiringSql.KEPT + 1).startsWith(State.OPEN);
    sql.trim(List.of(schedule.id()));
    assertThat(states(schedule)).hasSize(FiringSql.KEPT + 1);
  }

  @Test
  void thereAreNoMoreThanThereMayBe() {
    for (int i = 0; i < 3; i++) {
      name = "max-" + i;
      create(hourly(), Misfire.ALL, Overlap.ALLOW);
    }
    assertThat(schedules.create("max-3", settings(hourly(), Misfire.ALL, Overlap.ALLOW))).isEmpty();
    assertThat(schedules.create("max-1", settings(hourly(), Misfire.ALL, Overlap.ALLOW))).isEmpty();
    assertThat(schedules.delete("max-1")).isTrue();
    assertThat(schedules.delete("max-1")).isFalse();
    assertThat(schedules.create("max-3", settings(hourly(), Misfire.ALL, Overlap.ALLOW)))
        .isPresent();
  }
}
