package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.lease.Node;
import dev.millpond.queue.QueueChange;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.testing.IntegrationTest;
import dev.millpond.testing.Sample;
import java.util.Collections;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.TestPropertySource;

/** The room that nodes share, with another node played by its rows. */
@IntegrationTest
@TestPropertySource(properties = {"millpond.worker.slots=0", "millpond.lease.duration=PT5S"})
@Timeout(60)
class PermitsIT {

  private static final AtomicInteger queues = new AtomicInteger();

  @Autowired private Admission admission;
  @Autowired private Permits permits;
  @Autowired private Queues settings;
  @Autowired private Node node;
  @Autowired private JdbcClient jdbc;

  private final UUID other = UUID.randomUUID();
  private QueueName queue = QueueName.DEFAULT;

  @BeforeEach
  void newQueue() {
    queue = new QueueName("permits-" + queues.incrementAndGet());
    settings.change(
        queue, new QueueChange(new Setting.Set<>(50), new Setting.Keep<>(), new Setting.Keep<>()));
  }

  @AfterEach
  void theOtherNodeLeaves() {
    jdbc.sql("delete from account where id = ?").param(other).update();
  }

  private void otherNodeHolds(int granted) {
    jdbc.sql(
            "insert into account (id, node, expires_at) values (?, 'other', now() + interval '5"
                + " s')")
        .param(other)
        .update();
    jdbc.sql("insert into room (queue, account, waiting, runnable, granted) values (?, ?, 0, 0, ?)")
        .param(queue.value())
        .param(other)
        .param(granted)
        .update();
  }

  private boolean submit(int jobs) {
    return admission.admit(queue, Collections.nCopies(jobs, Sample.noop().submission()), null)
        instanceof Decision.Accepted;
  }

  private int fill() {
    int accepted = 0;
    while (submit(1)) {
      accepted++;
    }
    return accepted;
  }

  private int waiting() {
    return jdbc.sql("select coalesce(sum(waiting), 0) from room where queue = ?")
        .param(queue.value())
        .query(Integer.class)
        .single();
  }

  @Test
  void whatAnotherNodeHoldsIsNotAdmittedHere() {
    otherNodeHolds(40);
    assertThat(fill()).isEqualTo(10);
    assertThat(waiting()).isEqualTo(10);
  }

  @Test
  void whatADeadNodeHeldIsFreeOnceItsAccountIsClosed() {
    otherNodeHolds(40);
    assertThat(fill()).isEqualTo(10);
    jdbc.sql("delete from account where id = ?").param(other).update();
    assertThat(awaitRoom()).isEqualTo(40);
    assertThat(waiting()).isEqualTo(50);
  }

  private int awaitRoom() {
    int accepted = 0;
    while (accepted == 0) {
      // With several nodes an empty pool is asked again five times a second.
      Thread.onSpinWait();
      accepted = fill();
    }
    return accepted;
  }

  @Test
  void theAccountOfANodeThatIsNotHeardOfIsClosed() {
    otherNodeHolds(40);
    jdbc.sql("update account set expires_at = now() - interval '1 s' where id = ?")
        .param(other)
        .update();
    jdbc.sql(
            "select pg_sleep(greatest(0, 5.1 - extract(epoch from now() -"
                + " pg_postmaster_start_time())))")
        .query()
        .listOfRows();
    permits.renew();
    assertThat(
            jdbc.sql("select count(*) from account where id = ?")
                .param(other)
                .query(Integer.class)
                .single())
        .isZero();
    assertThat(
            jdbc.sql("select coalesce(sum(granted), 0) from room where account = ?")
                .param(other)
                .query(Integer.class)
                .single())
        .isZero();
  }

  @Test
  void aNodeWhoseAccountWasClosedAdmitsNothingByItsOldPermits() {
    assertThat(submit(10)).isTrue();
    UUID before = node.account();
    jdbc.sql("delete from account where id = ?").param(before).update();
    otherNodeHolds(40);
    assertThat(submit(1)).as("10 wait and 40 are held").isFalse();
    assertThat(node.account()).isNotEqualTo(before);
    assertThat(waiting()).isEqualTo(10);
    assertThat(permits.depth(queue)).isEqualTo(10);
  }

  @Test
  void aSubmitThatMeetsAClosedAccountIsWrittenOnceByANewOne() {
    assertThat(submit(10)).isTrue();
    jdbc.sql("delete from account where id = ?").param(node.account()).update();
    assertThat(submit(1)).isTrue();
    assertThat(waiting()).isEqualTo(11);
  }

  @Test
  void summingUpTheBooksChangesNothing() {
    assertThat(submit(7)).isTrue();
    assertThat(submit(5)).isTrue();
    permits.fold();
    assertThat(waiting()).isEqualTo(12);
    assertThat(fill()).isEqualTo(38);
  }
}
