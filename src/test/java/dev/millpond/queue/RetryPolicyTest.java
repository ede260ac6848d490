package dev.millpond.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RetryPolicyTest {

  private static final double LATEST = Math.nextDown(1.0);

  @Test
  void theLongestWaitDoublesWithEachFailure() {
    assertThat(RetryPolicy.DEFAULT.delayAfter(1, LATEST)).isEqualTo(Duration.ofMillis(999));
    assertThat(RetryPolicy.DEFAULT.delayAfter(2, LATEST)).isEqualTo(Duration.ofMillis(1_999));
    assertThat(RetryPolicy.DEFAULT.delayAfter(5, LATEST)).isEqualTo(Duration.ofMillis(15_999));
  }

  @Test
  void theJitterIsFull() {
    assertThat(RetryPolicy.DEFAULT.delayAfter(3, 0)).isZero();
    assertThat(RetryPolicy.DEFAULT.delayAfter(3, 0.5)).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void noWaitIsLongerThanTheBound() {
    assertThat(RetryPolicy.DEFAULT.delayAfter(100, LATEST)).isLessThan(Duration.ofMinutes(10));
    RetryPolicy steep = new RetryPolicy(100, Duration.ofHours(1), 10.0, Duration.ofDays(1));
    assertThat(steep.delayAfter(99, 0.5)).isEqualTo(Duration.ofHours(12));
  }
}
