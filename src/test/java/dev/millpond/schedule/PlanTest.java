package dev.millpond.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanTest {

  private static final Instant START = Instant.parse("2026-11-26T10:00:00Z");
  private static final DueTimes MINUTELY = new Every(Duration.ofMinutes(1), START);

  /** The service was away from the start for the given time. */
  private static List<Plan> after(DueTimes dueTimes, Misfire misfire, Duration away) {
    return Plan.of(dueTimes, misfire, START, START.plus(away));
  }

  private static Plan at(int minute, boolean fires) {
    return new Plan(START.plus(Duration.ofMinutes(minute)), fires);
  }

  @Test
  void whatIsDueNowFiresByEveryPolicy() {
    for (Misfire misfire : Misfire.values()) {
      assertThat(after(MINUTELY, misfire, Duration.ofSeconds(60))).containsExactly(at(1, true));
      // A little late is not missed.
      assertThat(after(MINUTELY, misfire, Duration.ofSeconds(69))).containsExactly(at(1, true));
    }
  }

  @Test
  void whatIsLateIsDroppedBySkip() {
    assertThat(after(MINUTELY, Misfire.SKIP, Duration.ofSeconds(185)))
        .containsExactly(at(1, false), at(2, false), at(3, true));
    assertThat(after(MINUTELY, Misfire.SKIP, Duration.ofSeconds(200)))
        .containsExactly(at(1, false), at(2, false), at(3, false));
  }

  @Test
  void theLastOfThoseThatAreLateFiresForAllByOnce() {
    assertThat(after(MINUTELY, Misfire.ONCE, Duration.ofSeconds(200)))
        .containsExactly(at(1, false), at(2, false), at(3, true));
    assertThat(after(MINUTELY, Misfire.ONCE, Duration.ofSeconds(185)))
        .containsExactly(at(1, false), at(2, true), at(3, true));
  }

  @Test
  void eachFiresInOrderByAll() {
    assertThat(after(MINUTELY, Misfire.ALL, Duration.ofSeconds(200)))
        .containsExactly(at(1, true), at(2, true), at(3, true));
  }

  @Test
  void ofTooManyTheLastOnesFireAndSomeBeforeThemAreRecorded() {
    DueTimes each = new Every(Duration.ofSeconds(1), START);
    List<Plan> plans = after(each, Misfire.ALL, Duration.ofDays(2));
    assertThat(plans).hasSize(Plan.MOST + Plan.RECORDED);
    assertThat(plans.stream().filter(Plan::fires)).hasSize(Plan.MOST);
    assertThat(plans.getLast()).isEqualTo(new Plan(START.plus(Duration.ofDays(2)), true));
    assertThat(plans.getFirst().fires()).isFalse();
    List<Plan> once = after(each, Misfire.ONCE, Duration.ofDays(2));
    assertThat(once.stream().filter(plan -> !plan.fires())).hasSize(Plan.RECORDED);
    // Those that are not late fire by themselves.
    assertThat(once.stream().filter(Plan::fires))
        .hasSize(1 + 1 + Math.toIntExact(Plan.GRACE.toSeconds()));
  }
}
