package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.admission.RoomSql.Others;
import dev.millpond.queue.JobsStarted;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class FlowTest {

  private final Flow flow = new Flow(Duration.ofMinutes(5), 0);

  private static JobsStarted started(int jobs, Duration waited) {
    return new JobsStarted(QueueName.DEFAULT, true, Collections.nCopies(jobs, waited), List.of());
  }

  private static Others others(double perSecond, int refusing) {
    return new Others(perSecond, refusing, List.of());
  }

  @Test
  void theLongerAJobHasWaitedTheFewerAreBeforeIt() {
    flow.started(started(1, Duration.ofSeconds(10)), true, 0);
    assertThat(flow.ahead(101, Duration.ofSeconds(10), 0)).isZero();
    assertThat(flow.ahead(101, Duration.ofSeconds(5), 0)).isEqualTo(50);
    assertThat(flow.ahead(101, Duration.ZERO, 0)).isEqualTo(100);
  }

  @Test
  void aQueueOfKeysMovesForAWhileAfterJobsHaveStartedOnAnyNode() {
    Flow plain = new Flow(Duration.ofMinutes(5), 0);
    long while_ = Duration.ofSeconds(10).toNanos();
    long now = System.nanoTime();
    flow.lined(now);
    assertThat(flow.isMoving(now)).as("never").isFalse();
    flow.started(started(1, Duration.ZERO), false, now);
    assertThat(flow.isMoving(now + while_ - 1)).isTrue();
    assertThat(flow.isMoving(now + while_)).isFalse();
    List<Long> fronts = new ArrayList<>(Collections.nCopies(10, 0L));
    fronts.set(4, Long.MAX_VALUE);
    flow.elsewhere(new Others(1, 0, fronts), now + while_);
    assertThat(flow.isMoving(now + while_)).as("elsewhere").isTrue();
    flow.elsewhere(new Others(1, 0, fronts), now + 2 * while_);
    assertThat(flow.isMoving(now + 2 * while_)).as("no news").isFalse();
    plain.started(started(1, Duration.ZERO), false, now);
    assertThat(plain.isMoving(now)).as("nobody waits for a key").isFalse();
  }

  @Test
  void theRateOfTheOtherNodesCounts() {
    assertThat(flow.drainRate(0)).isEmpty();
    flow.elsewhere(others(30, 0), 0);
    assertThat(flow.drainRate(0)).isEqualTo(OptionalDouble.of(30));
  }

  @Test
  void whatAFormerLifeKnewHoldsUntilSomethingIsKnown() {
    Flow again = new Flow(Duration.ofMinutes(5), 7);
    assertThat(again.drainRate(0)).isEqualTo(OptionalDouble.of(7));
    long now = 0;
    for (int i = 0; i <= 30; i++) {
      now = Duration.ofMillis(100L * i).toNanos();
      again.started(started(10, Duration.ZERO), true, now);
    }
    assertThat(again.drainRate(now).orElseThrow()).isBetween(90.0, 110.0);
  }

  @Test
  void nodesThatSendClientsAwayShareTheLine() {
    flow.elsewhere(others(20, 0), 0);
    Flow shared = new Flow(Duration.ofMinutes(5), 0);
    shared.elsewhere(others(20, 1), 0);
    Duration alone = Duration.ZERO;
    Duration together = Duration.ZERO;
    for (int n = 0; n < 100; n++) {
      alone = flow.book(null, flow.drainRate(0), 0);
      together = shared.book(null, shared.drainRate(0), 0);
    }
    assertThat(together.toMillis() / (double) alone.toMillis()).isBetween(1.9, 2.1);
  }

  @Test
  void theWaitIsWhatIsBeforeItByTheRate() {
    assertThat(flow.wait(0, 4, 0)).as("nothing waits").contains(Duration.ZERO);
    flow.started(
        new JobsStarted(
            QueueName.DEFAULT,
            true,
            List.of(Duration.ZERO),
            List.of(new JobsStarted.Front(4, 1, 1))),
        true,
        0);
    assertThat(flow.wait(100, 4, 0)).as("no rate is known").isEmpty();
    flow.elsewhere(others(20, 0), 0);
    assertThat(flow.wait(100, 4, 0)).contains(Duration.ofSeconds(5));
    assertThat(flow.wait(100, 5, 0)).as("before all others").contains(Duration.ZERO);
  }

  @Test
  void aCapInTimeIsWhatStartsWithinIt() {
    Duration half = Duration.ofSeconds(30);
    flow.limit(half, 0, 100, 0);
    assertThat(flow.capInTime()).as("no rate is known").isEqualTo(Integer.MAX_VALUE);
    flow.elsewhere(others(20, 0), 0);
    flow.limit(half, 0, 100, 0);
    assertThat(flow.capInTime()).isEqualTo(600);
    flow.limit(half, 300, 100, 0);
    assertThat(flow.capInTime()).as("jobs of the future do not count").isEqualTo(900);
    flow.elsewhere(others(1, 0), 0);
    flow.limit(half, 0, 100, 0);
    assertThat(flow.capInTime()).as("the slots must not run dry").isEqualTo(100);
    flow.limit(null, 0, 100, 0);
    assertThat(flow.capInTime()).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void aRateIsToldWhenItChangesAndWhileOthersWaitForIt() {
    long now = System.nanoTime() + Duration.ofSeconds(2).toNanos();
    assertThat(flow.isToTell(false, now)).as("nothing is known").isFalse();
    Flow known = new Flow(Duration.ofMinutes(5), 7);
    assertThat(known.isToTell(false, now)).as("a change").isTrue();
    assertThat(known.isToTell(false, now)).as("told just now").isFalse();
    long later = now + Duration.ofSeconds(2).toNanos();
    assertThat(known.isToTell(false, later)).as("no change").isFalse();
    known.book(null, known.drainRate(later), later);
    assertThat(known.isToTell(true, later)).as("others share the line").isTrue();
  }

  @Test
  void theLastRoomIsForThoseWhoseTurnHasCome() {
    flow.elsewhere(others(10, 0), 0);
    assertThat(flow.isForOthers("c", 99, 100, 0)).as("nobody waits").isFalse();
    long a = flow.book("a", flow.drainRate(0), 0).toNanos();
    flow.book("b", flow.drainRate(0), 0);
    assertThat(flow.isForOthers("c", 99, 100, a)).isTrue();
    assertThat(flow.isForOthers("c", 89, 100, a)).as("there is enough").isFalse();
    assertThat(flow.isForOthers("a", 99, 100, a)).as("its turn").isFalse();
    flow.entered("a", a);
    assertThat(flow.isForOthers("a", 99, 100, a)).as("another job").isTrue();
  }

  @Test
  void aStreamLeavesToOthersWhatIsKeptForThem() {
    flow.elsewhere(others(10, 0), 0);
    long turn = flow.book("stream", flow.drainRate(0), 0).toNanos();
    assertThat(flow.allowance("stream", 95, 100, 0)).as("alone").isEqualTo(Integer.MAX_VALUE);
    flow.book("other", flow.drainRate(0), 0);
    assertThat(flow.allowance("stream", 50, 100, 0)).as("not crowded").isEqualTo(40);
    assertThat(flow.allowance("stream", 95, 100, 0)).as("before its turn").isZero();
    assertThat(flow.allowance("stream", 95, 100, turn)).as("its turn").isEqualTo(1);
    flow.shares().change("one", 50, 0);
    flow.shares().change("two", 45, 0);
    assertThat(flow.allowance("stream", 95, 100, 0)).as("shares").isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void betweenTenantsTheirSharesDecide() {
    flow.elsewhere(others(10, 0), 0);
    flow.book("a", flow.drainRate(0), 0);
    flow.shares().change("one", 50, 0);
    assertThat(flow.isForOthers("c", 99, 100, 0)).isTrue();
    flow.shares().change("other", 49, 0);
    assertThat(flow.isForOthers("c", 99, 100, 0)).isFalse();
  }
}
