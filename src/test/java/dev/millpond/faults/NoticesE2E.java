package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What hints between nodes cost, whose commits lock the whole database. */
@Tag("whole")
@Timeout(300)
class NoticesE2E {

  /** Instead of its hint, a node asks something that concerns nobody. */
  private static final String MUTE = "text,dev.millpond.worker.Notices,pg_notify(,starts_with(";

  private static final int SUBMITTERS = 100;
  private static final Duration ROUND = Duration.ofSeconds(5);

  /** In turns, since the machine is not the same all the time. */
  private static final int ROUNDS = 7;

  /** Words gather for 50 ms. */
  private static final int NOTICES_A_SECOND = 20;

  private static final Logger log = LoggerFactory.getLogger(NoticesE2E.class);

  /** What came of a round. */
  private record Round(Duration p99, int accepted, int notices) {}

  @Test
  void hintsDoNotSlowSubmitsDown() throws IOException, SQLException {
    String option = new Breakage("mute", 0, List.of(MUTE)).option();
    try (Stage telling = new Stage("notices", 1, "");
        Stage mute = new Stage("notices-mute", 1, "", option)) {
      List<Round> with = new ArrayList<>();
      List<Round> without = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        with.add(submit(telling));
        without.add(submit(mute));
      }
      log.info("with hints {}, without {}", with, without);
      // The first ones are slow whatever is done: nothing is compiled yet.
      assertThat(with.subList(1, ROUNDS))
          .allSatisfy(
              round ->
                  assertThat(round.notices)
                      .isBetween(1, NOTICES_A_SECOND * (int) ROUND.toSeconds() + 1));
      assertThat(without).allMatch(round -> round.notices == 0);
      assertThat(median(with).toNanos()).isLessThan((long) (1.2 * median(without).toNanos()));
    }
  }

  private static Duration median(List<Round> rounds) {
    return Percentile.of(rounds.stream().skip(1).map(Round::p99).toList(), 0.5);
  }

  private static Round submit(Stage stage) throws IOException, SQLException {
    ApiClient api = stage.node(0).api();
    ConcurrentLinkedQueue<Duration> took = new ConcurrentLinkedQueue<>();
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      statement.execute("listen millpond");
      long end = System.nanoTime() + ROUND.toNanos();
      try (ExecutorService submitters = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int n = 0; n < SUBMITTERS; n++) {
          submitters.execute(() -> submit(api, end, took));
        }
      }
      PGNotification[] notices = connection.unwrap(PGConnection.class).getNotifications();
      api.awaitDrained("hinted", Duration.ofMinutes(1));
      return new Round(
          Percentile.of(List.copyOf(took), 0.99),
          took.size(),
          notices == null ? 0 : notices.length);
    }
  }

  private static void submit(ApiClient api, long end, ConcurrentLinkedQueue<Duration> took) {
    try {
      while (System.nanoTime() - end < 0) {
        long began = System.nanoTime();
        if (api.post("/v1/queues/hinted/jobs", "{\"type\": \"demo.noop\"}").status() == 202) {
          took.add(Duration.ofNanos(System.nanoTime() - began));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
