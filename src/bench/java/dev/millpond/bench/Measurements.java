package dev.millpond.bench;

import static dev.millpond.bench.Figure.informative;
import static dev.millpond.bench.Figure.under;

import dev.millpond.bench.OpenLoop.Request;
import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Unpacked;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import tools.jackson.databind.JsonNode;

/** What is measured, in an order in which one measurement does not spoil the next. */
final class Measurements {

  /**
   * How much of it.
   *
   * @param kept finished jobs in the tables while the status is asked for
   * @param idle how long nothing happens
   */
  record Plan(
      int repetitions,
      int drained,
      int pickedUp,
      int kept,
      int statusRequests,
      Duration idle,
      Duration submitting) {

    static final Plan FULL =
        new Plan(3, 20_000, 300, 1_000_000, 10_000, Duration.ofSeconds(30), Duration.ofSeconds(5));
    static final Plan SHORT =
        new Plan(1, 5_000, 30, 20_000, 1_000, Duration.ofSeconds(3), Duration.ofSeconds(1));
  }

  private static final String NOOP = "{\"type\": \"demo.noop\"}";
  private static final double PICK_UPS_PER_SECOND = 10;
  private static final double STATUS_PER_SECOND = 500;
  private static final Duration SETTLE = Duration.ofSeconds(3);
  private static final Duration DRAIN = Duration.ofMinutes(2);

  private final Bed bed;
  private final Plan plan;
  private final ApiClient api;
  private final List<Figure> figures = new ArrayList<>();

  Measurements(Bed bed, Plan plan) {
    this.bed = bed;
    this.plan = plan;
    this.api = bed.api();
  }

  /** One repetition. */
  private interface Repetition {
    List<Double> measure() throws IOException, SQLException;
  }

  List<Figure> all() throws IOException, SQLException {
    say("warming up");
    drain(plan.drained() / 4, "warm-up");
    OpenLoop.asFastAsPossible(plan.submitting(), 8, submit("warm-up"));
    api.awaitDrained("warm-up", DRAIN);

    List<List<Double>> pickUp = repeat("pick-up", this::pickUp);
    figures.add(informative("pick-up of single jobs, idle service, p50", "ms", column(pickUp, 0)));
    figures.add(under("pick-up of single jobs, idle service, p99", 20, "ms", column(pickUp, 1)));
    figures.add(
        informative("the same until the client sees it succeeded, p50", "ms", column(pickUp, 2)));
    figures.add(
        informative("the same until the client sees it succeeded, p99", "ms", column(pickUp, 3)));
    figures.add(informative("started before submitted, by their times", "%", column(pickUp, 4)));

    List<List<Double>> awaited = repeat("awaited", this::awaited);
    figures.add(
        informative(
            "demo.noop submitted and awaited in one request, p50", "ms", column(awaited, 0)));
    figures.add(
        informative(
            "demo.noop submitted and awaited in one request, p99", "ms", column(awaited, 1)));

    List<List<Double>> idle = repeat("idle", this::idle);
    figures.add(under("idle: processor of the service", 1, "% of a core", column(idle, 0)));
    figures.add(
        under("idle: statements, the pool's empty ones included", 5, "a second", column(idle, 1)));

    List<List<Double>> drain = repeat("drain", () -> List.of(drain(plan.drained(), "drain")));
    figures.add(
        under("drain of %,d queued demo.noop".formatted(plan.drained()), 4, "s", column(drain, 0)));

    for (int connections : new int[] {8, 32}) {
      List<List<Double>> submits = repeat("submit", () -> submits(connections));
      String what = "submit over %d connections (jobs run beside it)".formatted(connections);
      figures.add(informative(what, "a second", column(submits, 0)));
      figures.add(informative(what + ", p50, closed loop", "ms", column(submits, 1)));
      figures.add(informative(what + ", p99, closed loop", "ms", column(submits, 2)));
    }

    say("keeping " + plan.kept() + " finished jobs");
    List<String> kept = keepFinishedJobs();
    List<List<Double>> status = repeat("status", () -> status(kept));
    String what = "status with %,d finished jobs kept".formatted(plan.kept());
    figures.add(informative(what + ", p50", "ms", column(status, 0)));
    figures.add(under(what + ", p99", 5, "ms", column(status, 1)));
    figures.add(informative("liveness at the same rate, p99", "ms", column(status, 2)));

    List<String> unpacked = Unpacked.program();
    List<List<Double>> start = repeat("start", () -> start(MillpondProcess.jar(), unpacked));
    figures.add(informative("start to ready with these data, java -jar", "s", column(start, 0)));
    figures.add(under("the same, unpacked beside its class cache", 10, "s", column(start, 1)));
    return figures;
  }

  private List<List<Double>> repeat(String name, Repetition repetition)
      throws IOException, SQLException {
    List<List<Double>> values = new ArrayList<>();
    for (int n = 1; n <= plan.repetitions(); n++) {
      List<Double> measured = repetition.measure();
      say(name + " " + n + ": " + measured);
      values.add(measured);
    }
    return values;
  }

  private static List<Double> column(List<List<Double>> rows, int index) {
    return rows.stream().map(row -> row.get(index)).toList();
  }

  /** Jobs one by one, each when the one before is long done; then what the service says of them. */
  private List<Double> pickUp() throws IOException {
    LockSupport.parkNanos(SETTLE.toNanos());
    String[] ids = new String[plan.pickedUp()];
    Histogram seen =
        OpenLoop.atRate(
            PICK_UPS_PER_SECOND,
            ids.length,
            4,
            n -> {
              ids[n] = api.submit("pick-up", NOOP);
              awaitSucceeded(ids[n]);
            });
    Histogram pickUp = new Histogram(3);
    double before = 0;
    for (String id : ids) {
      JsonNode job = api.job(id);
      Instant submitted = Instant.parse(job.path("submittedAt").asString());
      Instant started = Instant.parse(job.path("startedAt").asString());
      long micros = Duration.between(submitted, started).toNanos() / 1_000;
      before += micros < 0 ? 1 : 0;
      pickUp.recordValue(Math.max(0, micros));
    }
    return List.of(
        OpenLoop.millis(pickUp, 50),
        OpenLoop.millis(pickUp, 99),
        OpenLoop.millis(seen, 50),
        OpenLoop.millis(seen, 99),
        100 * before / ids.length);
  }

  private void awaitSucceeded(String id) throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!api.job(id).path("state").asString().equals("succeeded")) {
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException(id + " is not done after 30 s");
      }
    }
  }

  private List<Double> idle() throws IOException, SQLException {
    bed.logStatements(true);
    LockSupport.parkNanos(SETTLE.toNanos());
    double processor = bed.processorSeconds();
    long statements = bed.statementsLogged();
    long begin = System.nanoTime();
    LockSupport.parkNanos(plan.idle().toNanos());
    double seconds = (System.nanoTime() - begin) / 1e9;
    double used = bed.processorSeconds() - processor;
    long sent = bed.statementsLogged() - statements;
    bed.logStatements(false);
    return List.of(100 * used / seconds, sent / seconds);
  }

  /**
   * The time from the first start to the last end, by the database's clock. A long job holds the
   * queue's only slot until all others wait behind it.
   */
  private double drain(int jobs, String queue) throws IOException, SQLException {
    limit(queue, "1");
    String plug =
        api.submit(
            queue,
            "{\"type\": \"demo.sleep\", \"priority\": 9, \"payload\": {\"duration\": \"PT10M\"}}");
    api.awaitState(plug, "running", Duration.ofSeconds(10));
    for (int batch = 0; batch < jobs / 1_000; batch++) {
      api.submitAll(queue, Collections.nCopies(1_000, NOOP));
    }
    limit(queue, "null");
    api.cancel(plug);
    api.awaitDrained(queue, DRAIN);
    return bed.query(
        """
        select extract(epoch from max(finished_at) - min(started_at)), count(*)
        from finished where id > '%s' and state = 'succeeded' and id in (select id from job where queue = '%s')
        """
            .formatted(plug, queue),
        row -> {
          if (row.getInt(2) != jobs / 1_000 * 1_000) {
            throw new IllegalStateException(row.getInt(2) + " of " + jobs + " jobs succeeded");
          }
          return row.getDouble(1);
        });
  }

  private void limit(String queue, String concurrency) throws IOException {
    Answer answer = api.put("/v1/queues/" + queue, "{\"concurrency\": " + concurrency + "}");
    if (answer.status() / 100 != 2) {
      throw new IllegalStateException(answer.toString());
    }
  }

  private List<Double> submits(int connections) {
    Histogram latencies =
        OpenLoop.asFastAsPossible(plan.submitting(), connections, submit("submits"));
    api.awaitDrained("submits", DRAIN);
    return List.of(
        latencies.getTotalCount() / (plan.submitting().toNanos() / 1e9),
        OpenLoop.millis(latencies, 50),
        OpenLoop.millis(latencies, 99));
  }

  private Request submit(String queue) {
    return n -> api.submit(queue, NOOP);
  }

  /** Written straight into the tables, over the days of a retention; returns some of their ids. */
  private List<String> keepFinishedJobs() throws SQLException {
    List<String> sample = new ArrayList<>();
    try (Connection connection = bed.connect();
        Statement statement = connection.createStatement()) {
      for (int days = 1; days <= 6; days++) {
        statement.execute(
            "call create_partitions((now() at time zone 'UTC')::date - " + days + ")");
      }
      statement.execute(
          """
          create temporary table kept as
          select uuidv7(n * (interval '6 days' / -%1$d)) as id from generate_series(1, %1$d) n
          """
              .formatted(plan.kept()));
      statement.execute(
          """
          insert into job (id, timeout_ms, initial_delay_ms, max_delay_ms, multiplier, max_attempts, priority,
                           queue, type, payload)
          select id, 300000, 1000, 600000, 2, 5, 4, 'kept', 'demo.noop',
                 format('{"order": %s, "text": "%s"}', row_number() over (), repeat('x', 200))
          from kept
          """);
      statement.execute(
          """
          insert into finished (id, token, finished_at, leased_at, started_at, version, attempt, recoveries,
                                max_attempts, state, worker)
          select id, gen_random_uuid(), now(), now(), now(), 3, 1, 0, 5, 'succeeded', 'bench'
          from kept
          """);
      // Or what is measured next is a vacuum and a checkpoint of this load.
      statement.execute("vacuum (freeze, analyze) job, finished");
      statement.execute("checkpoint");
      try (var rows = statement.executeQuery("select id from kept order by random() limit 10000")) {
        while (rows.next()) {
          sample.add(rows.getString(1));
        }
      }
    }
    return sample;
  }

  private List<Double> status(List<String> ids) {
    Histogram status =
        atStatusRate(n -> api.job(ids.get(ThreadLocalRandom.current().nextInt(ids.size()))));
    // Touches no database: what is slow here is slow by the machine.
    Histogram liveness = atStatusRate(n -> api.get("/actuator/health/liveness"));
    return List.of(
        OpenLoop.millis(status, 50), OpenLoop.millis(status, 99), OpenLoop.millis(liveness, 99));
  }

  /** As pickUp, with the result in the answer to the submit. */
  private List<Double> awaited() {
    Histogram latencies =
        OpenLoop.atRate(
            PICK_UPS_PER_SECOND,
            plan.pickedUp(),
            1,
            n -> {
              Answer answer = api.post("/v1/queues/awaited/jobs", NOOP, "Prefer", "wait=10");
              if (answer.status() != 200) {
                throw new IllegalStateException(answer.body());
              }
            });
    return List.of(OpenLoop.millis(latencies, 50), OpenLoop.millis(latencies, 99));
  }

  private Histogram atStatusRate(Request request) {
    return OpenLoop.atRate(STATUS_PER_SECOND, plan.statusRequests(), 32, request);
  }

  @SafeVarargs
  private List<Double> start(List<String>... programs) {
    List<Double> seconds = new ArrayList<>();
    for (List<String> program : programs) {
      bed.stop();
      seconds.add(bed.start(program).toNanos() / 1e9);
    }
    return seconds;
  }

  private static void say(String what) {
    System.out.println("· " + what);
  }
}
