package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class WaitingLineTest {

  /** Ten turns a second, since a quarter more are booked than jobs start. */
  private static final OptionalDouble EIGHT = OptionalDouble.of(8);

  private static final Duration KNOWN = Duration.ofHours(1);

  private final WaitingLine line = new WaitingLine(Duration.ofMinutes(5));
  private long now = -Duration.ofSeconds(1).toNanos(); // nanoTime may be negative

  private Duration book(OptionalDouble rate) {
    return line.book(null, rate, KNOWN, now, 0);
  }

  private void book(int clients, OptionalDouble rate) {
    for (int n = 0; n < clients; n++) {
      book(rate);
    }
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  @Test
  void eachIsBookedTheNextTurn() {
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(100));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(200));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(300));
  }

  @Test
  void aTurnIsAnywhereWithinItsTime() {
    assertThat(line.book(null, EIGHT, KNOWN, now, 0.9)).isEqualTo(Duration.ofMillis(10));
    assertThat(line.book(null, EIGHT, KNOWN, now, 0.1)).isEqualTo(Duration.ofMillis(190));
  }

  @Test
  void theLineMovesWithTime() {
    book(20, EIGHT);
    pass(Duration.ofSeconds(1));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(1_100));
    pass(Duration.ofHours(1));
    assertThat(book(EIGHT)).as("passed turns are free").isEqualTo(Duration.ofMillis(100));
  }

  @Test
  void whenTheRateFallsTheNextTurnsAreBehindThoseThatWereTold() {
    book(100, EIGHT);
    assertThat(book(OptionalDouble.of(0.8))).isEqualTo(Duration.ofSeconds(11));
    assertThat(book(OptionalDouble.of(0.8))).isEqualTo(Duration.ofSeconds(12));
  }

  @Test
  void whenTheRateRisesTheNextTurnsAreCloserToEachOther() {
    book(99, EIGHT);
    assertThat(book(OptionalDouble.of(80))).isEqualTo(Duration.ofMillis(9_910));
    assertThat(book(OptionalDouble.of(80))).isEqualTo(Duration.ofMillis(9_920));
  }

  @Test
  void aRateThatIsNewIsNotReliedOnForLong() {
    book(40, EIGHT);
    assertThat(line.book(null, EIGHT, Duration.ofSeconds(5), now, 0))
        .isEqualTo(Duration.ofMillis(4_100));
    assertThat(line.book(null, EIGHT, Duration.ofSeconds(4), now, 0))
        .as("not booked")
        .isEqualTo(Duration.ofSeconds(2));
    assertThat(line.book(null, EIGHT, Duration.ZERO, now, 0))
        .as("not at once")
        .isEqualTo(Duration.ofMillis(1_500));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(4_200));
  }

  @Test
  void beyondTheLongestWaitNothingIsBooked() {
    book(3_000, EIGHT);
    assertThat(line.book(null, EIGHT, KNOWN, now, 0)).isEqualTo(Duration.ofSeconds(150));
    assertThat(line.book(null, EIGHT, KNOWN, now, 0.5)).isEqualTo(Duration.ofSeconds(225));
    pass(Duration.ofSeconds(100));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(200_100));
  }

  @Test
  void aQueueThatDoesNotDrainSpreadsItsClients() {
    assertThat(line.book(null, OptionalDouble.of(0), KNOWN, now, 0))
        .isEqualTo(Duration.ofSeconds(30));
    assertThat(line.book(null, OptionalDouble.of(0), KNOWN, now, 0.5))
        .isEqualTo(Duration.ofMinutes(1));
  }

  @Test
  void whileTheRateIsNotKnownTheyAreAskedToComeSoonAndThenLessAndLessSo() {
    assertThat(line.book(null, OptionalDouble.empty(), KNOWN, now, 0))
        .isEqualTo(Duration.ofSeconds(1));
    assertThat(line.book(null, OptionalDouble.empty(), KNOWN, now, 0.5))
        .isEqualTo(Duration.ofSeconds(2));
    pass(Duration.ofSeconds(30));
    assertThat(line.book(null, OptionalDouble.empty(), KNOWN, now, 0.5))
        .isEqualTo(Duration.ofSeconds(20));
    pass(Duration.ofHours(1));
    assertThat(line.book(null, OptionalDouble.empty(), KNOWN, now, 0))
        .isEqualTo(Duration.ofSeconds(30));
  }

  @Test
  void whoeverIsToldOfAStuckQueueHoldsNoTurn() {
    book(10, EIGHT);
    book(1_000, OptionalDouble.of(0));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(1_100));
    pass(Duration.ofSeconds(1));
    book(1_000, OptionalDouble.of(0));
    assertThat(book(EIGHT)).as("the others came as told").isEqualTo(Duration.ofMillis(200));
  }

  @Test
  void noAnswerIsLongerThanTheLongestWait() {
    WaitingLine impatient = new WaitingLine(Duration.ofSeconds(10));
    assertThat(impatient.book(null, OptionalDouble.of(0), KNOWN, now, 0.5))
        .isBetween(Duration.ofSeconds(6), Duration.ofSeconds(7));
    assertThat(impatient.book(null, OptionalDouble.of(0.001), KNOWN, now, 0.999))
        .isBetween(Duration.ofSeconds(9), Duration.ofSeconds(10));
  }

  @Test
  void aTurnIsThereFromItsTimeOnUntilSomebodyUsesIt() {
    assertThat(line.isEarly(null, now)).as("nobody was sent away").isFalse();
    book(2, EIGHT);
    pass(Duration.ofMillis(40));
    assertThat(line.isEarly(null, now)).isTrue();
    pass(Duration.ofMillis(60));
    assertThat(line.isEarly(null, now)).as("the first one's turn").isFalse();
    line.entered(null, now);
    assertThat(line.isEarly(null, now)).as("the next one's is to come").isTrue();
    pass(Duration.ofMillis(100));
    assertThat(line.isEarly(null, now)).isFalse();
    line.foundNoRoom(null, now);
    assertThat(line.isEarly(null, now)).as("nobody is waited for").isFalse();
  }

  @Test
  void whoDoesNotComeForATurnIsNotWaitedForLong() {
    book(100, EIGHT);
    pass(Duration.ofSeconds(9));
    int due = 0;
    while (!line.isEarly(null, now)) {
      line.entered(null, now);
      due++;
    }
    assertThat(due).as("Retry-After is in whole seconds").isBetween(50, 51);
  }

  @Test
  void asManyTurnsAreBookedAsAreUsed() {
    assertThat(spacing()).isEqualTo(Duration.ofMillis(100));
    for (int n = 0; n < 200; n++) {
      book(EIGHT);
      pass(Duration.ofSeconds(1));
      line.foundNoRoom(null, now);
    }
    assertThat(spacing())
        .as("they come in vain: fewer than jobs start")
        .isBetween(Duration.ofMillis(131), Duration.ofMillis(132));
    for (int n = 0; n < 100; n++) {
      line.entered(null, now);
    }
    assertThat(spacing())
        .as("there is room although nobody comes for it")
        .isBetween(Duration.ofMillis(100), Duration.ofMillis(110));
  }

  @Test
  void whoIsKnownKeepsItsTurn() {
    assertThat(line.book("a", EIGHT, KNOWN, now, 0)).isEqualTo(Duration.ofMillis(100));
    assertThat(line.book("b", EIGHT, KNOWN, now, 0)).isEqualTo(Duration.ofMillis(200));
    pass(Duration.ofMillis(50));
    assertThat(line.book("b", EIGHT, KNOWN, now, 0))
        .as("asked too early")
        .isEqualTo(Duration.ofMillis(150));
    pass(Duration.ofMillis(150));
    assertThat(line.isEarly("b", now)).isFalse();
    assertThat(line.isEarly("c", now)).isTrue();
    assertThat(line.isEarly(null, now)).isTrue();
    line.entered("c", now);
    line.entered(null, now);
    assertThat(line.isEarly("b", now)).as("nobody else takes it").isFalse();
    line.entered("b", now);
    assertThat(line.isEarly("b", now)).isTrue();
  }

  @Test
  void thereMayBeMoreClientsThanCanBeRemembered() {
    for (int n = 0; n < 30_000; n++) {
      line.book("client " + n, OptionalDouble.of(1_000), KNOWN, now, 0.5);
    }
    pass(Duration.ofSeconds(24));
    assertThat(line.isEarly("client 29900", now)).as("as one of the others").isFalse();
    assertThat(line.isEarly("client 25100", now)).isFalse();
  }

  private Duration spacing() {
    Duration before = book(EIGHT);
    return book(EIGHT).minus(before);
  }
}
