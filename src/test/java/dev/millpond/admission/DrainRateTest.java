package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DrainRateTest {

  private DrainRate rate = new DrainRate();
  private long now = -Duration.ofSeconds(1).toNanos(); // nanoTime may be negative

  private void pass(Duration time) {
    now += time.toNanos();
  }

  /** Starts at even distances. */
  private void run(Duration time, double perSecond, boolean more) {
    long starts = Math.round(time.toMillis() * perSecond / 1_000);
    for (int n = 0; n < starts; n++) {
      now += time.toNanos() / starts;
      rate.started(1, more, now);
    }
  }

  private double perSecond() {
    return rate.perSecond(now).orElse(-1);
  }

  @Test
  void itIsUnknownUntilJobsHaveWaited() {
    run(Duration.ofSeconds(10), 100, false);
    assertThat(rate.perSecond(now)).isEmpty();
    assertThat(rate.perSecond()).isEmpty();
  }

  @Test
  void itIsKnownWithinTheFirstSecond() {
    run(Duration.ofMillis(500), 100, true);
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
  }

  @Test
  void longJobsInAllSlotsTellAnUpperBoundUntilTheNextStart() {
    rate.started(64, true, now);
    pass(Duration.ofSeconds(5));
    assertThat(perSecond()).isCloseTo(12.8, withPercentage(1));
    pass(Duration.ofSeconds(5));
    assertThat(perSecond()).isCloseTo(6.4, withPercentage(1));
  }

  @ParameterizedTest
  @CsvSource({"10, 4", "50, 7.5", "500, 7.5"})
  void itFollowsADropToATenthAndTheRecoveryWithinFiveSeconds(double before, double mostDivisor) {
    run(Duration.ofMillis(60_300), before, true);
    run(Duration.ofSeconds(5), before / 10, true);
    assertThat(perSecond()).isBetween(before / 15, before / mostDivisor);
    pass(Duration.ofSeconds(1)); // a bit of silence, as at any moment of a slow queue
    assertThat(perSecond()).isBetween(before / 20, before / mostDivisor);
    run(Duration.ofSeconds(55), before / 10, true);
    assertThat(perSecond()).isCloseTo(before / 10, withPercentage(20));
    run(Duration.ofSeconds(5), before, true);
    assertThat(perSecond()).isCloseTo(before, withPercentage(20));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.2, 20, 2_000})
  void whereStartsAreRandomItHoldsStill(double perSecond) {
    Random random = new Random(1);
    for (int n = 0; n < 2_000; n++) {
      now += (long) (-Math.log(1 - random.nextDouble()) / perSecond * 1e9);
      if (n > Math.max(20, perSecond)) {
        assertThat(rate.perSecond().orElse(-1)).isBetween(perSecond / 2, perSecond * 2);
        assertThat(perSecond()).as("a long gap is no stuck queue").isPositive();
      }
      rate.started(1, true, now);
    }
  }

  @Test
  void startsThatComeInBurstsAreNoChange() {
    for (int burst = 0; burst < 50; burst++) {
      for (int n = 0; n < 64; n++) {
        pass(Duration.ofMillis(20));
        rate.started(1, true, now);
      }
      for (int n = 0; n < 9; n++) {
        if (burst > 2) {
          assertThat(perSecond()).as("burst %d + %d s", burst, n).isBetween(3.2, 12.8);
        }
        pass(Duration.ofSeconds(1));
      }
    }
  }

  @Test
  void aStuckQueueShows() {
    run(Duration.ofSeconds(30), 100, true);
    pass(Duration.ofMillis(900));
    assertThat(perSecond()).as("a hiccup").isCloseTo(100, withPercentage(1));
    pass(Duration.ofMillis(1_100));
    assertThat(perSecond()).isCloseTo(50, withPercentage(3));
    pass(Duration.ofSeconds(4));
    assertThat(perSecond()).isZero();
    assertThat(rate.perSecond().orElse(-1))
        .as("up to the last start")
        .isCloseTo(100, withPercentage(1));
    run(Duration.ofSeconds(6), 100, true);
    assertThat(perSecond()).as("it goes on").isCloseTo(100, withPercentage(10));
  }

  @Test
  void aSlowQueueIsNotStuckAtOnce() {
    run(Duration.ofMinutes(10), 0.1, true);
    pass(Duration.ofSeconds(60));
    assertThat(perSecond()).isBetween(0.03, 0.1);
    pass(Duration.ofSeconds(60));
    assertThat(perSecond()).isZero();
  }

  @Test
  void idleTimeNeitherCountsNorFadesIt() {
    run(Duration.ofSeconds(5), 100, true);
    pass(Duration.ofMillis(10));
    rate.started(1, false, now); // the last one
    pass(Duration.ofHours(1));
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
    rate.started(1, false, now); // one that waited for nothing
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
  }

  @Test
  void aPauseNeitherCountsNorFadesIt() {
    run(Duration.ofSeconds(5), 100, true);
    rate.interrupted();
    pass(Duration.ofHours(1));
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
    run(Duration.ofSeconds(5), 100, true);
    assertThat(perSecond()).isCloseTo(100, withPercentage(1));
  }

  @Test
  void whatAnEarlierLifeLearntIsBelievedUntilThisOneKnows() {
    rate = new DrainRate(100);
    assertThat(perSecond()).isEqualTo(100);
    run(Duration.ofSeconds(1), 10, true);
    assertThat(perSecond()).as("less and less").isBetween(20.0, 80.0);
    run(Duration.ofSeconds(2), 10, true);
    assertThat(perSecond()).isCloseTo(10, withPercentage(1));
  }

  @Test
  void whatAnEarlierLifeLearntFallsIfNothingStarts() {
    rate = new DrainRate(100);
    rate.started(1, true, now);
    pass(Duration.ofMinutes(1));
    assertThat(perSecond()).isLessThan(1);
  }
}
