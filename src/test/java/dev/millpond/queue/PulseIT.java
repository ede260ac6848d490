package dev.millpond.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.IntegrationTest;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

/** What a node learns although nobody tells it. */
@IntegrationTest
@TestPropertySource(properties = "millpond.worker.slots=0")
@Timeout(30)
class PulseIT {

  @Autowired private Pulse pulse;
  @Autowired private Queues queues;
  @Autowired private JdbcClient jdbc;

  @Test
  void whatAnotherNodeChangesIsInForceAtTheNextBeat() {
    QueueName name = new QueueName("pulse");
    jdbc.sql("insert into queue (name, cap) values (?, 7)").param(name.value()).update();
    await().until(() -> hasCap(name, 7));
    jdbc.sql("update queue set cap = 8, updated_at = now() where name = ?")
        .param(name.value())
        .update();
    await().until(() -> hasCap(name, 8));
    jdbc.sql("delete from queue where name = ?").param(name.value()).update();
    await().until(() -> queues.find(name).isEmpty());
  }

  private boolean hasCap(QueueName name, int cap) {
    return queues.find(name).map(Queue::cap).equals(Optional.of(cap));
  }

  @Test
  void itSeesWhatThereIsToBeDoneAndWhenItIsDone() {
    jdbc.sql("insert into key_note (queue, key) values ('pulse', 'k')").update();
    await("something").until(pulse::mayHaveKeys);
    await("nothing, when the sweep has been there").until(() -> !pulse.mayHaveKeys());
    assertThat(pulse.mayBeLeased()).isFalse();
    assertThat(pulse.mayHaveEnds()).isFalse();
    assertThat(pulse.mayCallBack()).isFalse();
  }

  @Test
  void itHasItsConnectionAgainWhenThatWasLost() {
    await().until(() -> !pulse.mayBeLeased());
    jdbc.sql(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where application_name = 'millpond-pulse' and datname = current_database()
            """)
        .query()
        .listOfRows();
    jdbc.sql("insert into queue (name, cap) values ('pulse-again', 7)").update();
    await().until(() -> queues.find(new QueueName("pulse-again")).isPresent());
    await().until(() -> !pulse.mayBeLeased());
  }
}
