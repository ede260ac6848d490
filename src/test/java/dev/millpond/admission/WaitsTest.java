package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.admission.Waits.Percentiles;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WaitsTest {

  private final Waits waits = new Waits();

  private void add(int from, int to) {
    IntStream.rangeClosed(from, to).mapToObj(Duration::ofMillis).forEach(waits::add);
  }

  private static Percentiles millis(int p50, int p95, int p99) {
    return new Percentiles(Duration.ofMillis(p50), Duration.ofMillis(p95), Duration.ofMillis(p99));
  }

  @Test
  void nothingIsToldBeforeAJobHasStarted() {
    assertThat(waits.percentiles()).isEmpty();
  }

  @Test
  void oneJobIsAllOfThem() {
    add(7, 7);
    assertThat(waits.percentiles()).contains(millis(7, 7, 7));
  }

  @Test
  void soMuchOfThemWasNotAboveIt() {
    add(1, 100);
    assertThat(waits.percentiles()).contains(millis(50, 95, 99));
  }

  @Test
  void onlyTheLastOnesCount() {
    add(1, 100_000);
    assertThat(waits.percentiles()).contains(millis(99_744, 99_975, 99_995));
  }

  @Test
  void aWaitOfMonthsIsTheLongestThatIsTold() {
    waits.add(Duration.ofDays(300));
    waits.add(Duration.ofSeconds(-1)); // a clock that was set back
    assertThat(waits.percentiles()).contains(millis(0, Integer.MAX_VALUE, Integer.MAX_VALUE));
  }
}
