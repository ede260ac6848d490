package dev.millpond.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DemoHandlersTest {

  private final RecordedContext context = new RecordedContext(2);
  private final Handlers handlers =
      new Handlers(List.of(new DemoNoop(), new DemoSleep(), new DemoFail(), new DemoPrimes()));

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          demo.noop   | {"any": [1, {"thing": null}]}        |
          demo.noop   | 17                                   |
          demo.sleep  | {"duration": "PT0S"}                 |
          demo.sleep  | {"duration": "P1D", "steps": 10000}  |
          demo.sleep  | {}                                   | /duration must not be null
          demo.sleep  | {"duration": "PT-1S"}                | /duration must not be negative
          demo.sleep  | {"duration": "P2D"}                  | /duration must be at most P1D
          demo.sleep  | {"duration": "PT1S", "steps": 0}     | /steps must be greater than or equal to 1
          demo.fail   | {"times": 2}                         |
          demo.fail   | {"times": 2, "permanent": true}      |
          demo.fail   | {}                                   | /times is required
          demo.fail   | {"times": -1}                        | /times must be greater than or equal to 0
          demo.primes | {"upTo": 1000000000}                 |
          demo.primes | {"upTo": 1000000001}                 | /upTo must be less than or equal to 1000000000
          """)
  void payloadsAreCheckedAtTheDoor(String type, String payload, String violation) {
    assertThat(handlers.check(type, payload))
        .extracting(found -> found.pointer() + " " + found.detail())
        .isEqualTo(violation == null ? List.of() : List.of(violation));
  }

  @Test
  void sleepReportsEachStep() throws Exception {
    new DemoSleep().handle(new DemoSleep.Payload(Duration.ofMillis(4), 4), context);

    assertThat(context.percents).containsExactly(25, 50, 75, 100);
  }

  @Test
  void sleepEndsWhenItIsInterrupted() throws Exception {
    assertThatItEndsOnInterrupt(
        () -> new DemoSleep().handle(new DemoSleep.Payload(Duration.ofHours(1), 1), context));
  }

  @Test
  void primesEndWhenTheyAreInterrupted() throws Exception {
    assertThatItEndsOnInterrupt(
        () -> new DemoPrimes().handle(new DemoPrimes.Payload(1_000_000_000), context));
  }

  private interface Call {
    void run() throws Exception;
  }

  private static void assertThatItEndsOnInterrupt(Call call) throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    FutureTask<Boolean> interrupted =
        new FutureTask<>(
            () -> {
              started.countDown();
              try {
                call.run();
                return false;
              } catch (InterruptedException expected) {
                return true;
              }
            });
    Thread thread = Thread.startVirtualThread(interrupted);
    started.await();
    thread.interrupt();

    assertThat(interrupted.get(2, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void failFailsAsOftenAsItIsTold() throws Exception {
    DemoFail handler = new DemoFail();

    assertThat(handler.handle(new DemoFail.Payload(1, false), context)).isNull();
    assertThatThrownBy(() -> handler.handle(new DemoFail.Payload(2, false), context))
        .isInstanceOfSatisfying(RetryLater.class, failure -> assertThat(failure.delay()).isNull());
    assertThatThrownBy(() -> handler.handle(new DemoFail.Payload(2, true), context))
        .isInstanceOf(PermanentFailure.class);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 0",
    "2, 1",
    "3, 2",
    "100, 25",
    "32769, 3512",
    "65537, 6543",
    "10000000, 664579"
  })
  void primesAreCounted(int upTo, int count) throws Exception {
    assertThat(new DemoPrimes().handle(new DemoPrimes.Payload(upTo), context)).isEqualTo(count);
    assertThat(context.percents).isSorted();
    if (upTo > 1) {
      assertThat(context.percents).endsWith(100);
    }
  }
}
