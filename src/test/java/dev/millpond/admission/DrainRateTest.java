package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DrainRateTest {

  private final DrainRate rate = new DrainRate();
  private long now = -Duration.ofSeconds(1).toNanos(); // nanoTime may be negative

  private void run(Duration time, int perSecond, boolean more) {
    int steps = (int) (time.toMillis() / 100);
    for (int i = 0; i < steps; i++) {
      now += Duration.ofMillis(100).toNanos();
      rate.started(perSecond / 10, more, now);
    }
  }

  private double perSecond() {
    return rate.perSecond().orElse(-1);
  }

  @Test
  void itIsUnknownUntilJobsHaveWaited() {
    run(Duration.ofSeconds(10), 100, false);
    assertThat(rate.perSecond()).isEmpty();
  }

  @Test
  void itIsKnownWithinTheFirstSecond() {
    run(Duration.ofSeconds(1), 100, true);
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
  }

  @Test
  void itFollowsAChangeWithinSeconds() {
    run(Duration.ofSeconds(30), 100, true);
    run(Duration.ofSeconds(15), 10, true);
    assertThat(perSecond()).isBetween(10.0, 15.0);
    run(Duration.ofSeconds(15), 100, true);
    assertThat(perSecond()).isBetween(90.0, 100.0);
  }

  @Test
  void idleTimeNeitherCountsNorFadesIt() {
    run(Duration.ofSeconds(5), 100, true);
    now += Duration.ofMillis(100).toNanos();
    rate.started(10, false, now); // the last ones
    now += Duration.ofHours(1).toNanos();
    rate.started(1, false, now); // one that waited for nothing
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
  }
}
