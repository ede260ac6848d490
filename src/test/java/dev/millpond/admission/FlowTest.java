package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class FlowTest {

  private final Flow flow = new Flow(Duration.ofMinutes(5));

  private void accept(int jobs) {
    assertThat(flow.reserve(jobs, 100)).isTrue();
    flow.decide(jobs, true);
  }

  @Test
  void nothingIsReservedAboveTheCap() {
    accept(99);
    assertThat(flow.reserve(2, 100)).isFalse();
    assertThat(flow.reserve(1, 100)).isTrue();
    assertThat(flow.reserve(1, 100)).as("a reservation counts").isFalse();
    flow.decide(1, false);
    assertThat(flow.depth()).isEqualTo(99);
  }

  @Test
  void whatComesBackIsNeverRefused() {
    accept(100);
    flow.returned(5);
    assertThat(flow.depth()).isEqualTo(105);
  }

  @Test
  void aCountIsTakenOverWhereNothingMovedMeanwhile() {
    accept(10);
    flow.counted(25, flow.mark());
    assertThat(flow.depth()).isEqualTo(25);
  }

  @Test
  void aCountThatMissesAReservationChangesNothing() {
    accept(10);
    assertThat(flow.reserve(3, 100)).isTrue();
    flow.counted(10, flow.mark());
    flow.decide(3, true);
    assertThat(flow.depth()).isEqualTo(13);
  }

  @Test
  void aCountDuringAChangeChangesNothing() {
    accept(10);
    Flow.Mark before = flow.mark();
    accept(1);
    flow.counted(11, before);
    assertThat(flow.depth()).isEqualTo(11);
  }

  @Test
  void theLongerAJobHasWaitedTheFewerAreBeforeIt() {
    accept(100);
    flow.returned(1);
    flow.started(0, true, Duration.ofSeconds(10), 0);
    assertThat(flow.ahead(Duration.ofSeconds(10), 0)).isZero();
    assertThat(flow.ahead(Duration.ofSeconds(5), 0)).isEqualTo(50);
    assertThat(flow.ahead(Duration.ZERO, 0)).isEqualTo(100);
  }
}
