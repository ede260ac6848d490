package dev.millpond.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The clocks of Berlin: forward at 2026-03-29T01:00:00Z, back at 2026-10-25T01:00:00Z. */
class CronTest {

  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

  private static List<String> next(String expression, ZoneId zone, String after, int count) {
    return new Cron(expression, zone)
        .next(Instant.parse(after), count).stream().map(Instant::toString).toList();
  }

  @Test
  void aTimeThatTheClocksLeaveOutIsDueOnceAsIfTheyHadNotBeenChanged() {
    assertThat(next("0 30 2 * * *", BERLIN, "2026-03-27T12:00:00Z", 4))
        .containsExactly(
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z", // 03:30 in summer time
            "2026-03-30T00:30:00Z",
            "2026-03-31T00:30:00Z");
  }

  @Test
  void aTimeThatTheClocksShowTwiceIsDueTheFirstTime() {
    assertThat(next("0 30 2 * * *", BERLIN, "2026-10-24T12:00:00Z", 3))
        .containsExactly(
            "2026-10-25T00:30:00Z", // in summer time
            "2026-10-26T01:30:00Z",
            "2026-10-27T01:30:00Z");
    // Asked in the midst of the second pass.
    assertThat(next("0 30 2 * * *", BERLIN, "2026-10-25T01:15:00Z", 1))
        .containsExactly("2026-10-26T01:30:00Z");
  }

  @Test
  void eachOfManyTimesInTheGapIsDueOnceAndInOrder() {
    assertThat(next("0 0/15 2 29 3 *", BERLIN, "2026-03-28T12:00:00Z", 4))
        .containsExactly(
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:15:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T01:45:00Z");
    // 02:30 comes to 03:30, which is due by itself: one moment, one due time.
    assertThat(next("0 30 2,3 29 3 *", BERLIN, "2026-03-28T12:00:00Z", 2).getFirst())
        .isEqualTo("2026-03-29T01:30:00Z");
    assertThat(next("0 30 2,3 29 3 *", BERLIN, "2026-03-28T12:00:00Z", 2).getLast())
        .isEqualTo("2027-03-29T00:30:00Z");
  }

  @Test
  void whatIsDueEachHourGoesOnHourByHour() {
    assertThat(next("0 0 * * * *", BERLIN, "2026-03-28T23:30:00Z", 4))
        .containsExactly(
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T02:00:00Z",
            "2026-03-29T03:00:00Z");
    assertThat(next("0 0,30 0-23 * * *", BERLIN, "2026-10-25T00:15:00Z", 4))
        .containsExactly(
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z");
    assertThat(next("@hourly", BERLIN, "2026-10-24T23:59:59Z", 3))
        .containsExactly("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
  }

  @Test
  void aGapOfHalfAnHourKeepsTheOrderOfItsMoments() {
    // Lord Howe Island: 02:00 becomes 02:30 on 2026-10-04, at 2026-10-03T15:30:00Z.
    ZoneId lordHowe = ZoneId.of("Australia/Lord_Howe");
    assertThat(next("0 15,40 2 4 10 *", lordHowe, "2026-10-03T12:00:00Z", 2))
        .containsExactly("2026-10-03T15:40:00Z", "2026-10-03T15:45:00Z");
  }

  /** From wherever the calendar is asked, it is the same calendar. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0 30 2 * * *",
        "0 0/10 2,3 * * *",
        "0 */20 * * * *",
        "0 0 0 * * *",
        "0 5 1-4 * * *"
      })
  void askedFromAnyMomentTheNextIsTheFirstThatIsLater(String expression) {
    Cron cron = new Cron(expression, BERLIN);
    for (String change : List.of("2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z")) {
      Instant from = Instant.parse(change).minusSeconds(8_000);
      Instant end = from.plusSeconds(16_000);
      TreeSet<Instant> all = new TreeSet<>(cron.next(from, 1_000));
      for (Instant at = from; at.isBefore(end); at = at.plusSeconds(37)) {
        assertThat(cron.after(at)).as("after %s", at).contains(all.higher(at));
      }
    }
  }

  @Test
  void aLeapDayIsDueInLeapYears() {
    assertThat(next("0 0 12 29 2 *", BERLIN, "2026-11-26T00:00:00Z", 2))
        .containsExactly("2028-02-29T11:00:00Z", "2032-02-29T11:00:00Z");
    assertThat(next("0 0 12 L 2 *", BERLIN, "2027-03-01T00:00:00Z", 2))
        .containsExactly("2028-02-29T11:00:00Z", "2029-02-28T11:00:00Z");
    assertThat(next("0 0 12 29 2 MON", ZoneId.of("UTC"), "2026-11-26T00:00:00Z", 1))
        .containsExactly("2044-02-29T12:00:00Z");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0 0 0 31 2 *", "0 0 0 30 2 *", "0 0 0 31 4,6,9,11 *", "0 0 0 29 2 MON#1"})
  void whatNeverComesIsNeverDue(String expression) {
    assertThat(new Cron(expression, BERLIN).after(Instant.parse("2026-11-26T00:00:00Z"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "* * * * *",
        "0 0 0 * * * *",
        " 0 0 0 * * *",
        "0 0 0 * * * ",
        "0  0 0 * * *",
        "60 0 0 * * *",
        "0 60 0 * * *",
        "0 0 24 * * *",
        "0 0 0 32 * *",
        "0 0 0 * 13 *",
        "0 0 0 * * 8",
        "0 50-10 * * * *",
        "0 0/0 * * * *",
        "0 0 0 * * mon",
        "0 0 0 * * L",
        "@never",
        "@daily ",
        "0 0 0 * * MON#6",
        "a b c d e f"
      })
  void whatIsNoExpressionIsRefused(String expression) {
    assertThatThrownBy(() -> new Cron(expression, BERLIN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "* * * * * *", "0 0/5 8-18 * * MON-FRI", "0 0 6,19 * * *", "0 0 0 L-3 * *", "0 0 0 LW * *",
            "0 0 0 15W * ?",
        "0 0 0 ? * 5L", "0 0 0 ? * MON#1", "0 0 0 1 JAN,JUL *", "@yearly", "@midnight",
            "00 05 09 01 1-12/2 *"
      })
  void whatSpringReadsIsRead(String expression) {
    assertThat(new Cron(expression, BERLIN).after(Instant.parse("2026-11-26T00:00:00Z")))
        .isPresent();
  }

  @Test
  void theLastDueTimesOfASpanAreFoundWithoutAllBefore() {
    Cron daily = new Cron("@daily", ZoneId.of("UTC"));
    Instant now = Instant.parse("2026-11-26T00:00:00Z");
    assertThat(daily.last(Instant.parse("2026-11-20T00:00:00Z"), now, 100))
        .hasSize(6)
        .isSorted()
        .contains(Instant.parse("2026-11-21T00:00:00Z"), now);
    assertThat(daily.last(Instant.parse("1990-01-01T00:00:00Z"), now, 3))
        .containsExactly(
            Instant.parse("2026-11-24T00:00:00Z"), Instant.parse("2026-11-25T00:00:00Z"), now);
    // Every second of a thousand years could not be counted.
    Cron each = new Cron("* * * * * *", ZoneId.of("UTC"));
    List<Instant> last = each.last(Instant.parse("1026-11-26T00:00:00Z"), now, 1_000);
    assertThat(last).hasSize(1_000).startsWith(now.minusSeconds(999)).endsWith(now);
    assertThat(each.last(now, now, 10)).isEqualTo(new ArrayList<>());
  }
}
