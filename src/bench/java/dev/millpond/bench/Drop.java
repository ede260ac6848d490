package dev.millpond.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import tools.jackson.databind.JsonNode;

/** The workers become ten times slower and recover, while more is offered than they can do. */
final class Drop {

  private static final String QUEUE = "drop";
  private static final double OFFERED = 300;

  private static final Duration DROP = Duration.ofSeconds(20);
  private static final Duration RECOVERY = Duration.ofSeconds(45);
  private static final Duration END = Duration.ofSeconds(65);

  private final Fleet fleet;

  /** Second, and what the refusal said then. */
  private final ConcurrentLinkedQueue<double[]> told = new ConcurrentLinkedQueue<>();

  private final Map<String, Estimate> estimates = new ConcurrentHashMap<>();

  /** When a job was submitted and said to start. */
  private record Estimate(double second, Instant submitted, Instant start) {}

  /** When the offer began, by the wall clock that is the database's as well. */
  private double began;

  private Drop(Fleet fleet) {
    this.fleet = fleet;
  }

  static void run(Path directory) throws IOException, SQLException {
    try (Fleet fleet = new Fleet(QUEUE, 1)) {
      Drop drop = new Drop(fleet);
      drop.offer();
      drop.judge(new Findings(directory, QUEUE, "second,drain_rate_per_s,retry_after_s"));
    }
  }

  private void offer() throws IOException {
    fleet.queue(QUEUE, "{\"cap\": 200, \"concurrency\": 10}");
    Wire wire = new Wire(fleet.node(0).url());
    began = System.currentTimeMillis() / 1e3;
    long begin = System.nanoTime();
    Thread changes =
        Thread.ofPlatform()
            .start(
                () -> {
                  limit(begin, DROP, 1);
                  limit(begin, RECOVERY, 10);
                });
    OpenLoop.unslowed(
        OFFERED,
        END,
        (n, intended) -> {
          Wire.Answer answer = wire.submit(QUEUE, Overload.JOB);
          double second = (System.nanoTime() - begin) / 1e9;
          JsonNode json = answer.json();
          if (answer.isQueueFull()) {
            told.add(
                new double[] {
                  second,
                  json.path("drainRatePerSecond").asDouble(-1),
                  json.path("retryAfterMs").asDouble() / 1_000
                });
          } else if (json.path("estimatedStartAt").isString()) {
            estimates.put(
                json.path("id").asString(),
                new Estimate(
                    second,
                    Instant.parse(json.path("submittedAt").asString()),
                    Instant.parse(json.path("estimatedStartAt").asString())));
          }
        });
    try {
      changes.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void limit(long begin, Duration at, int concurrency) {
    LockSupport.parkNanos(begin + at.toNanos() - System.nanoTime());
    try {
      fleet.queue(QUEUE, "{\"concurrency\": " + concurrency + "}");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void judge(Findings findings) throws IOException, SQLException {
    fleet.node(0).api().awaitDrained(QUEUE, Duration.ofMinutes(1));
    List<double[]> answers =
        told.stream().sorted(Comparator.comparingDouble(answer -> answer[0])).toList();
    List<double[]> rates = new ArrayList<>();
    List<double[]> times = new ArrayList<>();
    for (double second = 0; second < END.toSeconds(); second += 0.5) {
      double from = second;
      double rate = mean(answers, from, 1);
      if (rate >= 0) {
        findings.row(second, rate, mean(answers, from, 2));
        rates.add(new double[] {second, rate});
        times.add(new double[] {second, mean(answers, from, 2)});
      }
    }
    double slow = started(DROP.toSeconds() + 5.0, (double) RECOVERY.toSeconds());
    double fast = started(RECOVERY.toSeconds() + 1.0, (double) END.toSeconds());
    findings.tell("true starts a second, slow", slow);
    findings.tell("true starts a second, recovered", fast);
    findings.atMost("seconds until the rate told has dropped", 5, follows(rates, DROP, slow));
    findings.atMost("seconds until it has recovered", 5, follows(rates, RECOVERY, fast));
    findings.atMost("median error of estimatedStartAt, % of the wait", 25, 100 * error(2, 1e9));
    findings.tell("the same outside the ten seconds after a change", 100 * errorWhileSteady());
    findings.chart(
        new Chart("The workers slow down to a tenth, and recover", "seconds")
            .line("drain rate told, jobs/s", rates)
            .line("Retry-After told, s", times));
    findings.write();
  }

  private static double mean(List<double[]> answers, double from, int column) {
    return answers.stream()
        .filter(answer -> answer[0] >= from && answer[0] < from + 0.5 && answer[column] >= 0)
        .mapToDouble(answer -> answer[column])
        .average()
        .orElse(-1);
  }

  /**
   * Seconds after the change from which on, for five seconds, the rate told is within a quarter.
   */
  private static double follows(List<double[]> rates, Duration change, double rate) {
    double from = change.toSeconds();
    return rates.stream()
            .filter(point -> point[0] >= from && point[0] < from + 20)
            .filter(point -> Math.abs(point[1] / rate - 1) > 0.25)
            .mapToDouble(point -> point[0] + 0.5)
            .max()
            .orElse(from)
        - from;
  }

  /** What the workers did: jobs started a second, between two seconds. */
  private double started(double from, double to) throws SQLException {
    return fleet.query(
                """
                select count(*) from finished
                where started_at between to_timestamp(%f) and to_timestamp(%f)
                """
                    .formatted(began + from, began + to))
            .getFirst()[0]
        / (to - from);
  }

  private double errorWhileSteady() throws SQLException {
    List<Double> errors = errors(2, DROP.toSeconds() - 3.0);
    errors.addAll(errors(DROP.toSeconds() + 10.0, RECOVERY.toSeconds() - 12.0));
    errors.addAll(errors(RECOVERY.toSeconds() + 10.0, 1e9));
    return median(errors);
  }

  private double error(double from, double to) throws SQLException {
    return median(errors(from, to));
  }

  private static double median(List<Double> errors) {
    return errors.stream().sorted().skip(errors.size() / 2).findFirst().orElse(Double.NaN);
  }

  /** Of jobs submitted in a time: how far the estimate was off, by the true wait. */
  private List<Double> errors(double from, double to) throws SQLException {
    Map<Instant, Double> starts = new HashMap<>();
    fleet
        .query(
            """
            select extract(epoch from uuid_extract_timestamp(id)), extract(epoch from started_at)
            from finished
            """)
        .forEach(row -> starts.put(Instant.ofEpochMilli(Math.round(row[0] * 1_000)), row[1]));
    List<Double> errors = new ArrayList<>();
    for (Estimate estimate : estimates.values()) {
      Double started = starts.get(Instant.ofEpochMilli(estimate.submitted.toEpochMilli()));
      double submitted = estimate.submitted.toEpochMilli() / 1e3;
      if (started != null && estimate.second >= from && estimate.second < to) {
        double wait = started - submitted;
        if (wait > 0.1) {
          errors.add(Math.abs(estimate.start.toEpochMilli() / 1e3 - started) / wait);
        }
      }
    }
    return errors;
  }
}
