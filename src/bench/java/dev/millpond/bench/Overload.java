package dev.millpond.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** From half to ten times of what the workers can do, offered by clients that never come back. */
final class Overload {

  private static final String QUEUE = "overload";
  static final String JOB = "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT0.05S\"}}";

  /** Ten jobs of 50 ms at once, if nothing else took time: what they do is measured first. */
  private static final double NOMINAL = 200;

  private static final int CAP = 400;
  private static final Duration PHASE = Duration.ofSeconds(10);

  private final Fleet fleet;
  private final Wire wire;

  private Overload(Fleet fleet) {
    this.fleet = fleet;
    this.wire = new Wire(fleet.node(0).url());
  }

  /** What came of one offered rate; latencies in milliseconds, waits in seconds. */
  private record Phase(
      double offered,
      double accepted,
      double refused,
      double goodput,
      double waitP99,
      double acceptP99,
      double refuseP99,
      double megabytes) {}

  static void run(Path directory) throws IOException, SQLException {
    try (Fleet fleet = new Fleet(QUEUE, 1)) {
      new Overload(fleet).run(new Findings(directory, QUEUE, COLUMNS));
    }
  }

  private static final String COLUMNS =
      "offered_by_capacity,offered_per_s,accepted_per_s,refused_per_s,done_per_s,wait_p99_s,accept_p99_ms,refuse_p99_ms,rss_mib";

  private void run(Findings findings) throws IOException, SQLException {
    fleet.queue(QUEUE, "{\"cap\": %d, \"concurrency\": 10}".formatted(CAP));
    // Warm-up: first gently, since code that is not compiled yet cannot keep up.
    for (double factor : new double[] {1, 3, 10, 3, 10}) {
      offer(factor * NOMINAL, PHASE.dividedBy(2));
    }
    double capacity = offer(2 * NOMINAL, PHASE).goodput;
    double before = offer(capacity / 10, PHASE).acceptP99;
    List<Phase> phases = new ArrayList<>();
    for (double factor : new double[] {0.5, 0.75, 0.9, 1, 1.5, 2, 5, 10, 12}) {
      Phase phase = offer(factor * capacity, PHASE);
      phases.add(phase);
      findings.row(
          factor,
          phase.offered,
          phase.accepted,
          phase.refused,
          phase.goodput,
          phase.waitP99,
          phase.acceptP99,
          phase.refuseP99,
          phase.megabytes);
    }
    LockSupport.parkNanos(Duration.ofSeconds(5).toNanos());
    double after = offer(capacity / 10, Duration.ofSeconds(5)).acceptP99;
    judge(findings, capacity, phases, before, after);
  }

  private static void judge(
      Findings findings, double capacity, List<Phase> phases, double before, double after)
      throws IOException {
    double peak = phases.stream().mapToDouble(Phase::goodput).max().orElse(0);
    List<Phase> full = phases.stream().filter(p -> p.offered >= 0.99 * capacity).toList();
    findings.atLeast(
        "below capacity: done of the offered, %",
        99,
        phases.stream()
            .filter(p -> p.offered < 0.99 * capacity)
            .mapToDouble(p -> 100 * p.accepted / p.offered)
            .min()
            .orElse(0));
    findings.atLeast(
        "from capacity on: least goodput by the peak, %",
        95, full.stream().mapToDouble(p -> 100 * p.goodput / peak).min().orElse(0));
    findings.tell("capacity, measured at twice what was hoped for, jobs/s", capacity);
    findings.tell("goodput at the peak, jobs/s", peak);
    findings.atMost(
        "p99 wait of accepted jobs by cap ÷ drain rate",
        1.5,
        full.stream().mapToDouble(p -> p.waitP99 * peak / CAP).max().orElse(0));
    Phase last = phases.getLast();
    findings.tell("refusals at twelve times, a second", last.refused);
    findings.atMost("refusal p99 at twelve times, ms", 20, last.refuseP99);
    findings.tell("memory at the first rate, MiB", phases.getFirst().megabytes);
    findings.tell("memory at twelve times, MiB", last.megabytes);
    findings.tell("accepted p99 before, ms", before);
    findings.tell("accepted p99 from 5 to 10 s after, ms", after);
    findings.chart(
        new Chart("Jobs done and refused, by what was offered", "offered jobs a second")
            .line("done a second", points(phases, Phase::goodput))
            .line("refused a second", points(phases, Phase::refused)));
    findings.write();
  }

  private static List<double[]> points(
      List<Phase> phases, java.util.function.ToDoubleFunction<Phase> of) {
    return phases.stream().map(p -> new double[] {p.offered, of.applyAsDouble(p)}).toList();
  }

  private Phase offer(double perSecond, Duration length) throws IOException, SQLException {
    Histogram accepted = new ConcurrentHistogram(3);
    Histogram refused = new ConcurrentHistogram(3);
    double begin = databaseTime();
    OpenLoop.unslowed(
        perSecond,
        length,
        (n, intended) -> {
          Wire.Answer answer = wire.submit(QUEUE, JOB);
          long micros = (System.nanoTime() - intended) / 1_000;
          switch (answer.status()) {
            case 202 -> accepted.recordValue(micros);
            case 503 -> refused.recordValue(micros);
            default -> throw new IOException(answer.toString());
          }
        });
    double end = databaseTime();
    double megabytes = fleet.residentMegabytes();
    fleet.node(0).api().awaitDrained(QUEUE, Duration.ofMinutes(1));
    double seconds = end - begin;
    return new Phase(
        (accepted.getTotalCount() + refused.getTotalCount()) / seconds,
        accepted.getTotalCount() / seconds,
        refused.getTotalCount() / seconds,
        done(begin + 1, end),
        waitP99(begin, end),
        OpenLoop.millis(accepted, 99),
        OpenLoop.millis(refused, 99),
        megabytes);
  }

  private double databaseTime() throws SQLException {
    return fleet.query("select extract(epoch from clock_timestamp())").getFirst()[0];
  }

  private double done(double begin, double end) throws SQLException {
    return fleet.query(
                """
                select count(*) from finished
                where finished_at between to_timestamp(%f) and to_timestamp(%f)
                """
                    .formatted(begin, end))
            .getFirst()[0]
        / (end - begin);
  }

  private double waitP99(double begin, double end) throws SQLException {
    return fleet.query(
            """
            select percentile_cont(0.99) within group
                     (order by extract(epoch from started_at - uuid_extract_timestamp(id)))
            from finished
            where uuid_extract_timestamp(id) between to_timestamp(%f) and to_timestamp(%f)
            """
                .formatted(begin, end))
        .getFirst()[0];
  }
}
