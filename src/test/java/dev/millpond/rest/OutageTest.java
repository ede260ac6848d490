package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.LongSummaryStatistics;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutageTest {

  // Where System.nanoTime() may well be: about to overflow.
  private long now = Long.MAX_VALUE - 5;
  private final Outage outage = new Outage(() -> now, new Random(7));

  @ParameterizedTest
  @CsvSource({
    "0, 2, 10",
    "9, 2, 10",
    "10, 4, 20",
    "29, 4, 20",
    "30, 8, 40",
    "70, 12, 60",
    "600, 12, 60"
  })
  void theWaitIsSpreadAndDoublesWithTheOutage(int second, long least, long most) {
    outage.failed();
    for (int i = 0; i < second; i++) {
      now += Duration.ofSeconds(1).toNanos();
      outage.failed();
    }
    LongSummaryStatistics waits =
        LongStream.generate(outage::failed).limit(5_000).summaryStatistics();
    assertThat(waits.getMin()).isEqualTo(least);
    assertThat(waits.getMax()).isEqualTo(most);
  }

  @Test
  void afterQuietTimesItIsAnotherOutage() {
    theWaitIsSpreadAndDoublesWithTheOutage(100, 12, 60);
    now += Duration.ofSeconds(121).toNanos();
    theWaitIsSpreadAndDoublesWithTheOutage(0, 2, 10);
  }
}
