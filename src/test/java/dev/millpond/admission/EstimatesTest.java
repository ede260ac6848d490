package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class EstimatesTest {

  private final Estimates estimates = new Estimates();

  private static long at(double seconds) {
    return (long) (1e9 * (seconds - 10)); // nanoTime may be negative
  }

  private void told(double wait, double at) {
    estimates.told(Duration.ofMillis((long) (1_000 * wait)), at(at));
  }

  private double error(double waited, double now) {
    return estimates.error(Duration.ofMillis((long) (1_000 * waited)), at(now)).orElse(-1);
  }

  @Test
  void itIsByHowMuchOfTheTrueWaitAnEstimateWasOff() {
    told(8, 0);
    told(20, 1);
    told(10, 2);
    assertThat(error(10, 10)).isCloseTo(0.2, offset(1e-9));
    assertThat(error(10, 11)).isCloseTo(1, offset(1e-9));
    assertThat(error(10, 12)).isZero();
  }

  @Test
  void nothingIsSaidOfJobsThatCameWhenNothingWasEstimated() {
    assertThat(error(10, 10)).isEqualTo(-1);
    told(8, 0);
    assertThat(error(10, 11)).isEqualTo(-1);
  }

  @Test
  void nothingIsSaidOfAShortWait() {
    told(8, 0);
    assertThat(error(0.4, 0.4)).isEqualTo(-1);
    assertThat(error(0.5, 0.5)).isPositive();
  }

  @Test
  void longAgoIsForgotten() {
    for (int second = 0; second <= 2_000; second++) {
      told(1, second);
    }
    assertThat(error(1_900, 2_000)).isEqualTo(-1);
    assertThat(error(1_100, 2_000)).isPositive();
  }
}
