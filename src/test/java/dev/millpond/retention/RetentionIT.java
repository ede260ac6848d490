package dev.millpond.retention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.job.JobIds;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.testing.IntegrationTest;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
class RetentionIT {

  private static final LocalDate LONG_AGO = LocalDate.of(2020, 2, 29);

  @Autowired private Retention retention;
  @Autowired private RetentionSql sql;
  @Autowired private Queues queues;
  @Autowired private JdbcClient jdbc;

  private final UUID id = JobIds.floor(LONG_AGO.atTime(13, 30).toInstant(ZoneOffset.UTC));

  private void aJobOfLongAgo() {
    sql.create(LONG_AGO);
    jdbc.sql(
            """
            insert into job (id, timeout_ms, initial_delay_ms, max_delay_ms, multiplier, max_attempts, priority, queue, type)
            values (?, 1, 1, 1, 1, 1, 4, 'old', 'demo.noop')
            """)
        .param(id)
        .update();
  }

  private void aJobOfLongAgoFinishedAt(Instant moment) {
    aJobOfLongAgo();
    finishedAt(moment);
  }

  private void finishedAt(Instant moment) {
    jdbc.sql(
            """
            insert into finished (id, finished_at, version, attempt, recoveries, max_attempts, state)
            values (?, ?, 1, 1, 0, 1, 'succeeded')
            """)
        .params(List.of(id, moment.atOffset(ZoneOffset.UTC)))
        .update();
  }

  private void isDelayed() {
    jdbc.sql(
            """
            insert into delayed (id, due_at, version, attempt, recoveries, max_attempts, priority, queue)
            values (?, now() + interval '1 day', 1, 0, 0, 1, 4, 'old')
            """)
        .param(id)
        .update();
  }

  private List<LocalDate> daysKept() {
    retention.dropOld();
    return sql.days();
  }

  @Test
  void aDayGoesWhenItsJobsHaveLongFinished() {
    aJobOfLongAgoFinishedAt(Instant.now().minus(Duration.ofDays(8)));
    assertThat(daysKept()).doesNotContain(LONG_AGO);
    assertThat(
            jdbc.sql("select to_regclass('finished_20200229')::text")
                .query(String.class)
                .optional())
        .isEmpty();
  }

  @Test
  void aDayStaysWhileAJobOfItFinishedLately() {
    aJobOfLongAgoFinishedAt(Instant.now().minus(Duration.ofDays(6)));
    assertThat(daysKept()).contains(LONG_AGO);
    jdbc.sql("update finished set finished_at = now() - interval '8 days' where id = ?")
        .param(id)
        .update();
    assertThat(daysKept()).doesNotContain(LONG_AGO);
  }

  @Test
  void aDayStaysWhileAJobOfItIsAlive() {
    aJobOfLongAgo();
    isDelayed();
    assertThat(daysKept()).contains(LONG_AGO);
    jdbc.sql("delete from delayed where id = ?").param(id).update();
    finishedAt(Instant.now().minus(Duration.ofDays(8)));
    assertThat(daysKept()).doesNotContain(LONG_AGO);
  }

  @Test
  void aDayStaysWhileSomebodyIsToBeToldOfAJobOfIt() {
    aJobOfLongAgo();
    jdbc.sql("insert into callback (id, url) values (?, 'https://shop.example/')")
        .param(id)
        .update();
    finishedAt(Instant.now().minus(Duration.ofDays(8)));
    assertThat(
            jdbc.sql("select count(*) from callback_due where id = ?")
                .param(id)
                .query(Integer.class)
                .single())
        .isEqualTo(1);
    assertThat(daysKept()).contains(LONG_AGO);
    jdbc.sql("delete from callback_due where id = ?").param(id).update();
    assertThat(daysKept()).doesNotContain(LONG_AGO);
    assertThat(
            jdbc.sql("select to_regclass('callback_20200229')::text")
                .query(String.class)
                .optional())
        .isEmpty();
  }

  @Test
  void jobsGoOneByOneWhereOthersOfTheirDayAreKeptLonger() {
    aJobOfLongAgoFinishedAt(Instant.now().minus(Duration.ofDays(8)));
    queues.change(new QueueName("old"), keptFor(Duration.ofDays(30)));
    assertThat(daysKept()).contains(LONG_AGO);
    // As a node of the previous version would, which knows of no queue's own time.
    assertThat(sql.drop(LONG_AGO, Instant.now().minus(Duration.ofDays(7)))).isFalse();
    retention.removeOld();
    assertThat(isThere()).isTrue();
    // What other queues keep is of the same days.
    queues.change(new QueueName("other"), keptFor(Duration.ofDays(40)));
    queues.change(new QueueName("old"), keptFor(null));
    assertThat(daysKept()).contains(LONG_AGO);
    retention.removeOld();
    assertThat(isThere()).isFalse();
    queues.change(new QueueName("other"), keptFor(null));
  }

  private static QueueChange keptFor(@Nullable Duration time) {
    return new QueueChange(
        new Setting.Keep<>(),
        new Setting.Keep<>(),
        new Setting.Keep<>(),
        new Setting.Keep<>(),
        new Setting.Keep<>(),
        new Setting.Set<>(time));
  }

  private boolean isThere() {
    return jdbc.sql("select exists (select from job where id = ?)")
        .param(id)
        .query(Boolean.class)
        .single();
  }

  @Test
  void aWeekOfDaysIsReadyAhead() {
    LocalDate today = LocalDate.now(ZoneOffset.UTC);
    assertThat(sql.days()).contains(today.minusDays(1), today, today.plusDays(7));
  }
}
