package dev.millpond.bench;

import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/** A thousand clients that ask for ten times what the workers can do, and come back when told. */
final class Herd {

  private static final String QUEUE = "herd";
  private static final int CLIENTS = 1_000;

  /** Clients with other manners beside them. */
  private static final int OTHERS = 10;

  /** How often each client has a new job, unless it still waits with the last one. */
  private static final Duration PACE = Duration.ofSeconds(1);

  private static final Duration LENGTH = Duration.ofSeconds(45);

  /** The herd's first wave, which nobody could have told to come later. */
  private static final int FIRST_WAVE_SECONDS = 3;

  /** Clients of one kind. */
  private static final class Kind {
    final PoliteClient.Manners manners;
    final LongAdder tries = new LongAdder();
    final LongAdder accepted = new LongAdder();
    final ConcurrentLinkedQueue<Double> waits = new ConcurrentLinkedQueue<>();

    Kind(PoliteClient.Manners manners) {
      this.manners = manners;
    }

    double triesPerJob() {
      return tries.sum() / (double) Math.max(1, accepted.sum());
    }
  }

  private final Fleet fleet;
  private final Kind polite = new Kind(PoliteClient::obey);
  private final Kind fixed = new Kind((told, tries) -> Duration.ofSeconds(1));
  private final Kind backOff = new Kind(PoliteClient::backOff);
  private final AtomicIntegerArray retries =
      new AtomicIntegerArray((int) LENGTH.toSeconds() + FIRST_WAVE_SECONDS);
  private final List<double[]> depths = new ArrayList<>();
  private long begin;

  private Herd(Fleet fleet) {
    this.fleet = fleet;
  }

  /**
   * @param givingUp how many of the clients leave for good when they are sent away
   */
  static void run(Path directory, String name, int nodes, int givingUp)
      throws IOException, SQLException {
    try (Fleet fleet = new Fleet(name, nodes)) {
      fleet.queue("warm-up", "{\"concurrency\": 20}");
      for (int n = 0; n < nodes; n++) {
        Wire wire = new Wire(fleet.node(n).url());
        OpenLoop.unslowed(
            300, Duration.ofSeconds(5), (k, intended) -> wire.submit("warm-up", Overload.JOB));
      }
      fleet.queue(QUEUE, "{\"cap\": 100, \"concurrency\": 5}");
      Herd herd = new Herd(fleet);
      herd.stampede(givingUp);
      herd.judge(new Findings(directory, name, "second,retries,least_depth"));
    }
  }

  private void stampede(int givingUp) throws SQLException {
    begin = System.nanoTime();
    long end = begin + LENGTH.toNanos();
    try (HttpClient http =
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .executor(Executors.newVirtualThreadPerTaskExecutor())
                .build();
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int n = 0; n < CLIENTS + 2 * OTHERS; n++) {
        Kind kind = n < CLIENTS ? polite : n % 2 == 0 ? fixed : backOff;
        PoliteClient client = new PoliteClient(http, fleet.node(n).url(), QUEUE);
        boolean leaves = n < givingUp;
        var _ =
            clients.submit(
                () -> {
                  work(client, kind, leaves, end);
                  return null;
                });
      }
      watchDepth(end);
      clients.shutdownNow();
    }
  }

  private void work(PoliteClient client, Kind kind, boolean leaves, long end)
      throws InterruptedException {
    boolean[] left = {false};
    while (!left[0] && System.nanoTime() - end < 0) {
      long first = System.nanoTime();
      try {
        client.submit(
            Overload.JOB,
            kind.manners,
            (answer, tries) -> {
              kind.tries.increment();
              if (tries > 1) {
                retries.incrementAndGet((int) (seconds(begin) % retries.length()));
              }
              if (answer.statusCode() / 100 == 2) {
                kind.accepted.increment();
                kind.waits.add(seconds(first));
                return false;
              }
              left[0] = leaves;
              return !leaves;
            });
      } catch (InterruptedException ended) {
        // One that still waits at the end has waited for at least so long.
        kind.waits.add(seconds(first));
        throw ended;
      }
      LockSupport.parkNanos(first + PACE.toNanos() - System.nanoTime());
    }
  }

  private void watchDepth(long end) throws SQLException {
    try (Connection connection = fleet.connect()) {
      while (System.nanoTime() - end < 0) {
        double waiting =
            Fleet.query(connection, "select count(*) from ready where queue = '" + QUEUE + "'")
                .getFirst()[0];
        depths.add(new double[] {seconds(begin), waiting});
        LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
      }
    }
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  private void judge(Findings findings) throws IOException {
    int seconds = (int) LENGTH.toSeconds();
    List<double[]> points = new ArrayList<>();
    double sum = 0;
    double peak = 0;
    for (int second = 0; second < seconds; second++) {
      int now = second;
      double least =
          depths.stream().filter(d -> (int) d[0] == now).mapToDouble(d -> d[1]).min().orElse(-1);
      findings.row(second, retries.get(second), least);
      points.add(new double[] {second, retries.get(second)});
      if (second >= FIRST_WAVE_SECONDS) {
        sum += retries.get(second);
        peak = Math.max(peak, retries.get(second));
      }
    }
    double[] waits = polite.waits.stream().mapToDouble(w -> w).sorted().toArray();
    double median = waits[waits.length / 2];
    List<double[]> busy = depths.stream().filter(d -> d[0] >= FIRST_WAVE_SECONDS).toList();
    double idle = busy.stream().filter(d -> d[1] == 0).count() / (double) busy.size();
    findings.atMost("tries an accepted job", 2.5, polite.triesPerJob());
    findings.tell("the same of clients that come back every second", fixed.triesPerJob());
    findings.tell("the same of clients with backoff alone", backOff.triesPerJob());
    findings.atMost(
        "busiest second of the retries by the mean",
        2,
        peak * (seconds - FIRST_WAVE_SECONDS) / sum);
    findings.tell("median wait, s", median);
    findings.atMost("longest wait by the median", 3, Arrays.stream(waits).max().orElse(0) / median);
    findings.atMost("time in which nothing waited for the workers, %", 2, 100 * idle);
    findings.tell("accepted of all, jobs/s", accepted() / (double) seconds);
    findings.chart(
        new Chart("A thousand clients sent away: who comes back, and what waits", "seconds")
            .line("retries in the second", points)
            .line("waiting jobs", depths.stream().filter(d -> d[0] < seconds).toList()));
    findings.write();
  }

  private long accepted() {
    return polite.accepted.sum() + fixed.accepted.sum() + backOff.accepted.sum();
  }
}
