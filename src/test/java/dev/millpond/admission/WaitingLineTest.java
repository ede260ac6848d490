package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class WaitingLineTest {

  private static final OptionalDouble TEN = OptionalDouble.of(10);

  private final WaitingLine line = new WaitingLine(Duration.ofMinutes(5));

  @Test
  void eachIsBookedTheNextTurn() {
    assertThat(line.book(TEN, 0, 0)).isEqualTo(Duration.ofMillis(100));
    assertThat(line.book(TEN, 0, 0)).isEqualTo(Duration.ofMillis(200));
    assertThat(line.book(TEN, 0, 0)).isEqualTo(Duration.ofMillis(300));
  }

  @Test
  void turnsThatHavePassedAreFree() {
    line.book(TEN, 0, 0);
    line.book(TEN, 0, 0);
    long later = Duration.ofSeconds(5).toNanos();
    assertThat(line.book(TEN, later, 0)).isEqualTo(Duration.ofMillis(100));
  }

  @Test
  void beyondTheLongestWaitNothingIsBooked() {
    OptionalDouble slow = OptionalDouble.of(0.01);
    line.book(slow, 0, 0);
    line.book(slow, 0, 0);
    line.book(slow, 0, 0);
    assertThat(line.book(slow, 0, 0)).isEqualTo(Duration.ofSeconds(150));
    assertThat(line.book(slow, 0, 0.5)).isEqualTo(Duration.ofSeconds(225));
    long hundred = Duration.ofSeconds(100).toNanos();
    assertThat(line.book(slow, hundred, 0)).as("the fourth turn").isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void aQueueThatDoesNotDrainSpreadsItsClients() {
    assertThat(line.book(OptionalDouble.empty(), 0, 0)).isEqualTo(Duration.ofSeconds(30));
    assertThat(line.book(OptionalDouble.of(0), 0, 0.5)).isEqualTo(Duration.ofMinutes(1));
  }
}
