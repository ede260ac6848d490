package dev.millpond.bench;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * What concurrency keys cost those who have none, and those who have one: jobs drained while 10,000
 * keys are taken, each with jobs in its line.
 */
final class Keys {

  private static final String NAME = "keys";
  private static final String NOOP = "{\"type\": \"demo.noop\"}";
  private static final int BLOCKED = 10_000;
  private static final int IN_LINE = 4;
  private static final int DRAINED = 20_000;
  private static final int REPETITIONS = 3;
  private static final Duration SUBMITTING = Duration.ofSeconds(5);

  private final Bed bed;
  private final ApiClient api;

  private Keys(Bed bed) {
    this.bed = bed;
    this.api = bed.api();
  }

  static void run(Path directory) throws IOException, SQLException {
    try (Bed bed = new Bed()) {
      bed.start();
      new Keys(bed).measure(directory);
    }
  }

  private void measure(Path directory) throws IOException, SQLException {
    Findings findings = new Findings(directory, NAME, "case,jobs_per_second");
    // Pull workers hold the keys; the service does the rest.
    api.put("/v1/queues/" + NAME, "{\"workers\": \"both\"}");
    double _ = plain();
    double without = median(findings, "plain", this::plain);
    findings.tell(
        "10,000 jobs, each with a key of its own, a second",
        median(findings, "keyed", () -> drain(10_000, n -> keyed("own-" + n, 1))));
    findings.tell(
        "1,000 jobs of one key of limit 1, a second",
        median(findings, "chain", () -> drain(1_000, n -> keyed("chain", 1))));
    findings.tell("plain submits a second, 8 connections", submits(n -> NOOP));
    findings.tell("keyed submits a second, 8 connections", submits(n -> keyed("s-" + n, 1)));
    block();
    double with = median(findings, "plain beside taken keys", this::plain);
    findings.tell("plain jobs a second", without);
    findings.tell("the same while 10,000 keys are taken", with);
    findings.atLeast("with ÷ without", 0.9, with / without);
    findings.tell("plain submits a second then", submits(n -> NOOP));
    findings.atMost("a sweep with 10,000 keys taken, ms", 100, sweep());
    findings.write();
  }

  private interface Repetition {
    double measure() throws IOException, SQLException;
  }

  private static double median(Findings findings, String what, Repetition repetition)
      throws IOException, SQLException {
    double[] values = new double[REPETITIONS];
    for (int n = 0; n < REPETITIONS; n++) {
      values[n] = repetition.measure();
      findings.row(what, values[n]);
    }
    return DoubleStream.of(values).sorted().skip(REPETITIONS / 2).findFirst().orElseThrow();
  }

  private static String keyed(String key, int limit) {
    return "{\"type\": \"demo.noop\", \"concurrency\": {\"key\": \"%s\", \"limit\": %d}}"
        .formatted(key, limit);
  }

  private double plain() throws IOException, SQLException {
    return drain(DRAINED, n -> NOOP);
  }

  /** Jobs a second from the resumption of the queue to the last end, by the database's clock. */
  private double drain(int jobs, IntFunction<String> job) throws IOException, SQLException {
    post("pause");
    submit(jobs, job);
    String begin = bed.query("select clock_timestamp()::text", row -> row.getString(1));
    post("resume");
    awaitDone();
    return bed.query(
        """
        select count(*) / extract(epoch from max(finished_at) - min(started_at))
        from finished where finished_at >= '%s'
        """
            .formatted(begin),
        row -> row.getDouble(1));
  }

  private void post(String verb) throws IOException {
    Answer answer = api.post("/v1/queues/" + NAME + "/" + verb, "");
    if (answer.status() / 100 != 2) {
      throw new IllegalStateException(answer.toString());
    }
  }

  private void submit(int jobs, IntFunction<String> job) throws IOException {
    for (int from = 0; from < jobs; from += 1_000) {
      api.submitAll(NAME, IntStream.range(from, from + 1_000).mapToObj(job).toList());
    }
  }

  /** Until nothing is left but what pull workers hold, and what waits for that. */
  private void awaitDone() throws SQLException {
    while (bed.query(
        """
        select exists (select from ready) or exists (select from lease where ends_at is null)
          or exists (select from key_note) or exists (select from key_slot_status where not taken)
        """,
        row -> row.getBoolean(1))) {
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  private double submits(IntFunction<String> job) throws SQLException {
    long count =
        OpenLoop.asFastAsPossible(SUBMITTING, 8, n -> api.submit(NAME, job.apply(n)))
            .getTotalCount();
    awaitDone();
    return count / (SUBMITTING.toNanos() / 1e9);
  }

  private void block() throws IOException, SQLException {
    submit(
        BLOCKED,
        n ->
            "{\"type\": \"hold\", \"timeout\": \"PT2H\", \"concurrency\": {\"key\": \"taken-%d\", \"limit\": 1}}"
                .formatted(n));
    int held = 0;
    while (held < BLOCKED) {
      Answer answer =
          api.post(
              "/v1/queues/" + NAME + "/claims",
              "{\"worker\": \"w\", \"max\": 100, \"lease\": \"PT1H\", \"types\": [\"hold\"]}",
              "Prefer",
              "wait=10");
      held += answer.json().path("jobs").size();
    }
    submit(BLOCKED * IN_LINE, n -> keyed("taken-" + n % BLOCKED, 1));
    awaitDone();
  }

  /** What the sweep asks, which then finds nothing. */
  private double sweep() throws SQLException {
    double best = Double.MAX_VALUE;
    for (int n = 0; n < 2 * REPETITIONS; n++) {
      long began = System.nanoTime();
      long found =
          bed.query("select count(*) from key_slot_status where not taken", row -> row.getLong(1));
      best = Math.min(best, (System.nanoTime() - began) / 1e6);
      if (found > 0) {
        throw new IllegalStateException(found + " slots are free");
      }
    }
    return best;
  }
}
