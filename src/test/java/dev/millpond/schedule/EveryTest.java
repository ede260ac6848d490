package dev.millpond.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class EveryTest {

  private static final Instant ANCHOR = Instant.parse("2026-11-26T10:00:00.250Z");

  @Test
  void itCountsFromItsAnchorAndDoesNotDrift() {
    Every every = new Every(Duration.ofMinutes(7), ANCHOR);
    assertThat(every.after(ANCHOR)).contains(ANCHOR.plus(Duration.ofMinutes(7)));
    assertThat(every.after(ANCHOR.plus(Duration.ofMinutes(8))))
        .contains(ANCHOR.plus(Duration.ofMinutes(14)));
    assertThat(every.after(ANCHOR.plus(Duration.ofDays(3_650))).orElseThrow().minusMillis(250))
        .satisfies(
            due ->
                assertThat(Duration.between(ANCHOR.minusMillis(250), due).toSeconds() % 420)
                    .isZero());
  }

  @Test
  void aDueTimeIsNotItsOwnNext() {
    Every every = new Every(Duration.ofSeconds(1), ANCHOR);
    assertThat(every.after(ANCHOR.plusSeconds(5))).contains(ANCHOR.plusSeconds(6));
    assertThat(every.after(ANCHOR.plusSeconds(5).minusNanos(1))).contains(ANCHOR.plusSeconds(5));
  }

  @Test
  void nothingIsDueBeforeTheFirstPeriodIsOver() {
    assertThat(new Every(Duration.ofHours(1), ANCHOR).after(Instant.EPOCH))
        .contains(ANCHOR.plus(Duration.ofHours(1)));
  }
}
