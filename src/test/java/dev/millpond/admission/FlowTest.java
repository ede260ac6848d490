package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class FlowTest {

  private final Flow flow = new Flow(Duration.ofMinutes(5));

  @Test
  void theLongerAJobHasWaitedTheFewerAreBeforeIt() {
    flow.started(0, true, Duration.ofSeconds(10), 0);
    assertThat(flow.ahead(101, Duration.ofSeconds(10), 0)).isZero();
    assertThat(flow.ahead(101, Duration.ofSeconds(5), 0)).isEqualTo(50);
    assertThat(flow.ahead(101, Duration.ZERO, 0)).isEqualTo(100);
  }

  @Test
  void theRateOfTheOtherNodesCounts() {
    assertThat(flow.drainRate()).isEmpty();
    flow.elsewhere(30, 0);
    assertThat(flow.drainRate()).isEqualTo(OptionalDouble.of(30));
  }

  @Test
  void whatAFormerLifeKnewHoldsUntilSomethingIsKnown() {
    flow.remember(7);
    assertThat(flow.drainRate()).isEqualTo(OptionalDouble.of(7));
    for (int i = 0; i <= 20; i++) {
      flow.started(10, true, Duration.ZERO, Duration.ofMillis(100L * i).toNanos());
    }
    assertThat(flow.drainRate().orElseThrow()).isBetween(90.0, 110.0);
  }

  @Test
  void nodesThatSendClientsAwayShareTheLine() {
    flow.elsewhere(20, 0);
    Duration alone = flow.book(0);
    Flow shared = new Flow(Duration.ofMinutes(5));
    shared.elsewhere(20, 1);
    assertThat(shared.book(0)).isEqualTo(alone.multipliedBy(2));
  }

  @Test
  void aRateIsToldWhenItChangesAndWhileOthersWaitForIt() {
    long now = System.nanoTime() + Duration.ofSeconds(2).toNanos();
    assertThat(flow.isToTell(false, now)).as("nothing is known").isFalse();
    flow.remember(7);
    assertThat(flow.isToTell(false, now)).as("a change").isTrue();
    assertThat(flow.isToTell(false, now)).as("told just now").isFalse();
    long later = now + Duration.ofSeconds(2).toNanos();
    assertThat(flow.isToTell(false, later)).as("no change").isFalse();
    flow.book(later);
    assertThat(flow.isToTell(true, later)).as("others share the line").isTrue();
  }
}
