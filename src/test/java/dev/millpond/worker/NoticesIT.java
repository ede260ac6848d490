package dev.millpond.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.job.JobsWatched;
import dev.millpond.job.Watches;
import dev.millpond.lease.CancelRequested;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import dev.millpond.testing.IntegrationTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;

/** What another node hears of this one. */
@IntegrationTest
class NoticesIT {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Autowired private DataSource dataSource;
  @Autowired private ApplicationEventPublisher events;
  @Autowired private Watches watches;

  @Test
  void hintsAreSentEachTimeAfterARestAndThoseOfATwentiethOfASecondTogether() throws SQLException {
    UUID cancelled = UUID.randomUUID();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("listen millpond");
      PGConnection listening = connection.unwrap(PGConnection.class);

      events.publishEvent(ready("notices-1"));
      events.publishEvent(new CancelRequested(cancelled));
      assertThat(hear(listening)).contains("notices-1", "cancel:" + cancelled);

      events.publishEvent(ready("notices-2"));
      assertThat(hear(listening)).contains("notices-2").doesNotContain("notices-1");
      statement.execute("unlisten millpond");
    }
  }

  @Test
  void changesOfJobsAreToldWhileAnotherNodeWatchesSome() throws SQLException {
    UUID unheard = UUID.randomUUID();
    Set<UUID> changed = new HashSet<>();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("listen millpond");
      PGConnection listening = connection.unwrap(PGConnection.class);

      watches.changed(unheard);
      events.publishEvent(new JobsWatched());
      assertThat(hear(listening)).contains("watched:").doesNotContain(unheard.toString());

      statement.execute("select pg_notify('millpond', 'another-node watched:')");
      assertThat(hear(listening)).startsWith("another-node");
      // It hears that as we do, in its own time.
      await()
          .until(
              () -> {
                UUID id = UUID.randomUUID();
                changed.add(id);
                watches.changed(id);
                PGNotification[] notices = listening.getNotifications(200);
                return notices != null
                    && notices.length > 0
                    && changed.stream()
                        .anyMatch(one -> notices[0].getParameter().contains("changed:" + one));
              });

      // More than a notice holds, and more than are told at once.
      for (int n = 0; n < 1_100; n++) {
        watches.changed(UUID.randomUUID());
      }
      AtomicInteger told = new AtomicInteger();
      await()
          .until(
              () -> {
                for (PGNotification notice : listening.getNotifications(200)) {
                  assertThat(notice.getParameter().length()).isLessThan(8_000);
                  told.addAndGet(notice.getParameter().split(" ", -1).length - 1);
                }
                return told.get() >= 1_000;
              });
      statement.execute("unlisten millpond");
    }
  }

  private static JobsReady ready(String queue) {
    return new JobsReady(Set.of(new QueueName(queue)), false);
  }

  private static String hear(PGConnection listening) throws SQLException {
    PGNotification[] notices = listening.getNotifications(Math.toIntExact(PATIENCE.toMillis()));
    assertThat(notices).hasSize(1);
    return notices[0].getParameter();
  }
}
