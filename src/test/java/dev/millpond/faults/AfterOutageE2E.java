package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Many clients that were sent away while the database was, and come back when they were told. */
@Tag("whole")
@Timeout(300)
class AfterOutageE2E {

  private static final int CLIENTS = 1_000;
  private static final Duration AWAY = Duration.ofSeconds(20);

  /** Of a thousand clients in twenty seconds, one second has some more than its part by chance. */
  private static final int PEAK_SECONDS = 3;

  private static final Duration SOON = Duration.ofMinutes(2);
  private static final Logger log = LoggerFactory.getLogger(AfterOutageE2E.class);

  /** When the tries came that were not a client's first, in nanoseconds. */
  private final ConcurrentLinkedQueue<Long> retries = new ConcurrentLinkedQueue<>();

  private final CountDownLatch accepted = new CountDownLatch(CLIENTS);

  @Test
  void clientsThatObeyAreNoSecondWave() throws IOException, SQLException, InterruptedException {
    try (Stage stage = new Stage("after-outage", 1, "");
        Trial trial =
            new Trial(
                stage,
                "H6",
                "away for %d s, while 1,000 clients come".formatted(AWAY.toSeconds()));
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      trial.load(2, Duration.ofMillis(100), n -> trial.effects().job(0)).awaitAcknowledged(20);
      long[] back = new long[1];
      trial.broken(
          "PostgreSQL away",
          () -> {
            stage.postgres().stopImmediately();
            come(stage.node(0).api(), clients);
            LockSupport.parkNanos(AWAY.toNanos());
            stage.postgres().start();
            back[0] = System.nanoTime();
          });
      assertThat(accepted.await(SOON.toSeconds(), TimeUnit.SECONDS)).as("all accepted").isTrue();
      trial.judge();
      assertThat(stage.node(0).api().jobs("queue=herd")).as("each once").hasSize(CLIENTS);
      assertNoWave(back[0]);
    }
  }

  /** Each for the first time at any moment of the first half of the outage. */
  private void come(ApiClient api, ExecutorService clients) {
    Random random = new Random(1);
    for (int n = 0; n < CLIENTS; n++) {
      String key = "herd-" + n;
      long first = random.nextLong(AWAY.toNanos() / 2);
      clients.execute(
          () -> {
            LockSupport.parkNanos(first);
            submit(api, key);
          });
    }
  }

  private void submit(ApiClient api, String key) {
    for (int tries = 0; ; tries++) {
      if (tries > 0) {
        retries.add(System.nanoTime());
      }
      long wait = 1;
      try {
        Answer answer =
            api.post("/v1/queues/herd/jobs", "{\"type\": \"demo.noop\"}", "Idempotency-Key", key);
        if (answer.status() == 202) {
          accepted.countDown();
          return;
        }
        wait = Long.parseLong(answer.header("Retry-After"));
      } catch (IOException noAnswer) {
        log.debug("no answer", noAnswer);
      }
      LockSupport.parkNanos(Duration.ofSeconds(wait).toNanos());
    }
  }

  private void assertNoWave(long back) {
    List<Long> seconds =
        retries.stream()
            .filter(at -> at - back >= 0)
            .map(at -> Duration.ofNanos(at - back).toSeconds())
            .toList();
    long[] rate = new long[(int) (seconds.stream().mapToLong(s -> s).max().orElse(0) + 1)];
    seconds.forEach(second -> rate[second.intValue()]++);
    double mean = seconds.size() / (double) rate.length;
    double peak =
        IntStream.rangeClosed(0, rate.length - PEAK_SECONDS)
            .mapToDouble(
                from -> Arrays.stream(rate, from, from + PEAK_SECONDS).average().orElseThrow())
            .max()
            .orElseThrow();
    log.info("retries a second: {}, {} at the peak, {} in the mean", rate, peak, mean);
    assertThat(seconds.size()).as("retries").isGreaterThanOrEqualTo(CLIENTS / 2);
    assertThat(peak).isLessThanOrEqualTo(2 * mean);
  }
}
