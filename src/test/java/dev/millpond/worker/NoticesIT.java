package dev.millpond.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.lease.CancelRequested;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import dev.millpond.testing.IntegrationTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
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

  private static JobsReady ready(String queue) {
    return new JobsReady(Set.of(new QueueName(queue)), false);
  }

  private static String hear(PGConnection listening) throws SQLException {
    PGNotification[] notices = listening.getNotifications(Math.toIntExact(PATIENCE.toMillis()));
    assertThat(notices).hasSize(1);
    return notices[0].getParameter();
  }
}
