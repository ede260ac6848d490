package dev.millpond.bench;

import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Three nodes share a cap; one of them is killed. Nothing may be admitted above it, nor refused far
 * below.
 */
final class NodeLoss {

  private static final String QUEUE = "nodes";
  private static final int CAP = 500;
  private static final int CLIENTS = 200;
  private static final Duration LENGTH = Duration.ofSeconds(60);
  private static final Duration KILL = Duration.ofSeconds(30);

  /** A lease and a sweep, after which the dead node's work and room are back. */
  private static final Duration HEALED = Duration.ofMillis(3_500);

  /**
   * Waiting jobs, and among them those that came for the first time: what comes back is no
   * admission.
   */
  private static final String DEPTH =
      """
      select count(*), count(*) filter (where attempt = 0 and recoveries = 0)
      from (select attempt, recoveries from ready where queue = '%1$s'
            union all
            select attempt, recoveries from delayed where queue = '%1$s') as waiting
      """
          .formatted(QUEUE);

  private final Fleet fleet;
  private final NavigableMap<Double, double[]> depths = new TreeMap<>();
  private final ConcurrentLinkedQueue<Double> full = new ConcurrentLinkedQueue<>();
  private final AtomicInteger accepted = new AtomicInteger();
  private final AtomicInteger untimed = new AtomicInteger();
  private final AtomicInteger alive;
  private long begin;

  private NodeLoss(Fleet fleet) {
    this.fleet = fleet;
    this.alive = new AtomicInteger(fleet.size());
  }

  static void run(Path directory) throws IOException, SQLException {
    try (Fleet fleet = new Fleet(QUEUE, 3)) {
      fleet.queue(QUEUE, "{\"cap\": %d, \"concurrency\": 10}".formatted(CAP));
      NodeLoss loss = new NodeLoss(fleet);
      loss.load();
      loss.judge(new Findings(directory, QUEUE, "second,depth,admitted_depth"));
    }
  }

  private void load() throws SQLException {
    begin = System.nanoTime();
    long end = begin + LENGTH.toNanos();
    try (HttpClient http =
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(2))
                .build();
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int n = 0; n < CLIENTS; n++) {
        int client = n;
        var _ =
            clients.submit(
                () -> {
                  // The dead node's clients go to those that live.
                  for (int job = 0; System.nanoTime() - end < 0; job++) {
                    submit(
                        new PoliteClient(
                            http, fleet.node((client + job) % alive.get()).url(), QUEUE));
                  }
                  return null;
                });
      }
      watch(end);
      clients.shutdownNow();
    }
  }

  private void submit(PoliteClient client) throws InterruptedException {
    int nodes = alive.get();
    client.submit(
        Overload.JOB,
        PoliteClient::obey,
        (answer, tries) -> {
          if (answer.statusCode() == 503) {
            if (answer.body().contains("queue-full")) {
              full.add(seconds());
            }
            String time = answer.headers().firstValue("Retry-After").orElse("");
            if (!time.matches("[0-9]{1,3}")
                || Integer.parseInt(time) < 1
                || Integer.parseInt(time) > 300) {
              untimed.incrementAndGet();
            }
          } else if (answer.statusCode() == 202) {
            accepted.incrementAndGet();
          }
          return nodes == alive.get();
        });
  }

  private void watch(long end) throws SQLException {
    boolean killed = false;
    try (Connection connection = fleet.connect()) {
      while (System.nanoTime() - end < 0) {
        depths.put(seconds(), Fleet.query(connection, DEPTH).getFirst());
        if (!killed && seconds() > KILL.toSeconds()) {
          fleet.node(alive.decrementAndGet()).kill9();
          killed = true;
        }
        LockSupport.parkNanos(Duration.ofMillis(30).toNanos());
      }
    }
  }

  private double seconds() {
    return (System.nanoTime() - begin) / 1e9;
  }

  private void judge(Findings findings) throws IOException {
    List<double[]> points = new ArrayList<>();
    depths.forEach(
        (second, depth) -> {
          points.add(new double[] {second, depth[0]});
        });
    for (double second = 0; second < LENGTH.toSeconds(); second++) {
      var sample = depths.ceilingEntry(second);
      if (sample != null) {
        findings.row(second, sample.getValue()[0], sample.getValue()[1]);
      }
    }
    findings.tell("accepted, jobs/s", accepted.get() / (double) LENGTH.toSeconds());
    findings.tell("queue-full, a second", full.size() / (double) LENGTH.toSeconds());
    findings.tell("highest depth", points.stream().mapToDouble(p -> p[1]).max().orElse(0));
    findings.atMost(
        "I11: samples in which more than the cap was admitted",
        0,
        (double) depths.values().stream().filter(depth -> depth[1] > CAP).count());
    findings.atMost(
        "I12: queue-full though the depth was under 90 % for a second",
        0, (double) full.stream().filter(this::needless).count());
    findings.atMost("I12: 503 without a Retry-After from 1 to 300", 0, untimed.get());
    findings.chart(
        new Chart("Three nodes, one cap of 500, one node killed after 30 s", "seconds")
            .line("waiting jobs", points));
    findings.write();
  }

  private boolean needless(double second) {
    double killed = KILL.toSeconds();
    double healed = killed + HEALED.toMillis() / 1e3;
    return second > 1
        && (second < killed || second > healed + 1)
        && depths.subMap(second - 1, second).values().stream()
            .allMatch(depth -> depth[0] < 0.9 * CAP);
  }
}
