package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class WaitingLineTest {

  /** Ten turns a second, since a quarter more are booked than jobs start. */
  private static final OptionalDouble EIGHT = OptionalDouble.of(8);

  private final WaitingLine line = new WaitingLine(Duration.ofMinutes(5));
  private long now = -Duration.ofSeconds(1).toNanos(); // nanoTime may be negative

  private Duration book(OptionalDouble rate) {
    return line.book(rate, now, 0.5);
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
  void whenTheRateRisesTheNextTurnsAreBetweenThoseThatWereTold() {
    book(99, EIGHT);
    assertThat(book(OptionalDouble.of(80))).isEqualTo(Duration.ofSeconds(1));
    assertThat(book(OptionalDouble.of(80))).isEqualTo(Duration.ofMillis(1_010));
  }

  @Test
  void beyondTheLongestWaitNothingIsBooked() {
    book(3_000, EIGHT);
    assertThat(line.book(EIGHT, now, 0)).isEqualTo(Duration.ofSeconds(150));
    assertThat(line.book(EIGHT, now, 0.5)).isEqualTo(Duration.ofSeconds(225));
    pass(Duration.ofSeconds(100));
    assertThat(book(EIGHT)).isEqualTo(Duration.ofMillis(200_100));
  }

  @Test
  void aQueueThatDoesNotDrainSpreadsItsClients() {
    assertThat(line.book(OptionalDouble.of(0), now, 0)).isEqualTo(Duration.ofSeconds(30));
    assertThat(line.book(OptionalDouble.of(0), now, 0.5)).isEqualTo(Duration.ofMinutes(1));
  }

  @Test
  void whileTheRateIsNotKnownTheyAreAskedToComeSoonAndThenLessAndLessSo() {
    assertThat(line.book(OptionalDouble.empty(), now, 0)).isEqualTo(Duration.ofSeconds(1));
    assertThat(line.book(OptionalDouble.empty(), now, 0.5)).isEqualTo(Duration.ofSeconds(2));
    pass(Duration.ofSeconds(30));
    assertThat(line.book(OptionalDouble.empty(), now, 0.5)).isEqualTo(Duration.ofSeconds(20));
    pass(Duration.ofHours(1));
    assertThat(line.book(OptionalDouble.empty(), now, 0)).isEqualTo(Duration.ofSeconds(30));
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
    assertThat(impatient.book(OptionalDouble.of(0), now, 0.5))
        .isBetween(Duration.ofSeconds(6), Duration.ofSeconds(7));
    assertThat(impatient.book(OptionalDouble.of(0.001), now, 0.999))
        .isBetween(Duration.ofSeconds(9), Duration.ofSeconds(10));
  }
}
