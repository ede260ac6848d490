package dev.millpond.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class TimetableTest {

  private static final Instant START = Instant.parse("2026-11-26T10:00:00Z");

  private final Timetable timetable = new Timetable();

  private static Armed armed(long id, int revision, int seconds) {
    return new Armed(
        new UUID(0, id),
        revision,
        new Every(Duration.ofSeconds(seconds), START),
        Misfire.ONCE,
        false,
        START,
        START);
  }

  @Test
  void theLongestDueComeFirst() {
    timetable.put(armed(1, 1, 30));
    timetable.put(armed(2, 1, 10));
    timetable.put(armed(3, 1, 10));
    assertThat(timetable.next()).contains(START.plusSeconds(10));
    assertThat(timetable.due(START.plusSeconds(9), 10)).isEmpty();
    assertThat(timetable.due(START.plusSeconds(30), 10))
        .extracting(armed -> armed.id().getLeastSignificantBits())
        .containsExactly(2L, 3L, 1L);
    assertThat(timetable.due(START.plusSeconds(30), 1)).hasSize(1);
  }

  @Test
  void whatIsOlderThanWhatIsKnownIsNoNews() {
    Armed known = armed(1, 2, 10).firedTo(START.plusSeconds(10));
    timetable.put(known);
    timetable.put(armed(1, 2, 10));
    timetable.put(armed(1, 1, 5));
    assertThat(timetable.next()).contains(START.plusSeconds(20));
    timetable.put(armed(1, 3, 5));
    assertThat(timetable.next()).contains(START.plusSeconds(5));
  }

  @Test
  void whatIsPausedIsKnownAndNeverDue() {
    Armed running = armed(1, 1, 10);
    timetable.put(
        new Armed(
            running.id(), 2, running.dueTimes(), Misfire.ONCE, true, running.firedTo(), START));
    timetable.put(running);
    assertThat(timetable.next()).isEmpty();
    assertThat(timetable.isEmpty()).isFalse();
    timetable.remove(running.id());
    assertThat(timetable.isEmpty()).isTrue();
  }

  @Test
  void whatIsPostponedIsLookedAtLater() {
    Armed due = armed(1, 1, 10);
    timetable.put(due);
    timetable.postpone(due, START.plusSeconds(11));
    assertThat(timetable.due(START.plusSeconds(10), 10)).isEmpty();
    assertThat(timetable.due(START.plusSeconds(11), 10)).containsExactly(due);
  }
}
