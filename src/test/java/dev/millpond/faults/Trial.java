package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.faults.agent.Steps;
import dev.millpond.testing.ApiClient;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import org.awaitility.core.TerminalFailureException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One load on a stage while something is broken, and what came of it. */
final class Trial implements AutoCloseable {

  /** A depth at which clients are sent away now and then. */
  private static final int CAP = 300;

  /** Of a process that ends before it is ready. */
  private static final int STARTS = 10;

  private static final Duration SAMPLE = Duration.ofMillis(50);
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final Duration DRAIN = Duration.ofMinutes(2);
  private static final Logger log = LoggerFactory.getLogger(Trial.class);

  private final Stage stage;
  private final String fault;
  private final String what;
  private final String queue;
  private final History history = new History();
  private final Effects effects;
  private final List<Clients> clients = new ArrayList<>();
  private final Thread sampler;
  private volatile boolean over;

  /** Written when the trial is judged. */
  private List<Count> counts = List.of();

  /** Of the load, which a test may replace by one of its own. */
  private static final int CLIENTS = 12;

  private static final Duration PACE = Duration.ofMillis(10);

  /**
   * @param fault its short name in the catalogue
   * @param what is done, for a reader
   */
  Trial(Stage stage, String fault, String what) throws IOException, SQLException {
    this.stage = stage;
    this.fault = fault;
    this.what = what;
    // Names of queues are lower case, and each trial has one of its own.
    this.queue = (fault + "-" + Integer.toHexString(what.hashCode())).toLowerCase(Locale.ROOT);
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      statement.execute("truncate noted");
    }
    this.effects = new Effects(history);
    stage.queue(queue, "{\"cap\": %d}".formatted(CAP));
    for (ApiClient api : stage.apis()) {
      await("the cap is in force on every node")
          .pollInterval(Duration.ofMillis(20))
          .until(() -> api.get("/v1/queues/" + queue).json().path("cap").asInt() == CAP);
    }
    this.sampler = Thread.ofPlatform().name("sampler").start(this::sample);
  }

  private void sample() {
    while (!over) {
      try (Connection connection = stage.postgres().connect()) {
        while (!over) {
          history.add(Audit.sample(connection, queue, history.now()));
          LockSupport.parkNanos(SAMPLE.toNanos());
        }
      } catch (SQLException away) {
        LockSupport.parkNanos(SAMPLE.toNanos());
      }
    }
  }

  String queue() {
    return queue;
  }

  Effects effects() {
    return effects;
  }

  History history() {
    return history;
  }

  /** Starts the usual load: calls outside, quick and slow, some later, some that fail first. */
  Trial load() {
    return load(CLIENTS, PACE, this::job);
  }

  Trial load(int count, Duration pace, IntFunction<String> job) {
    String name = "clients-%d".formatted(clients.size());
    clients.add(new Clients(history, stage.apis(), name, queue, count, pace, job));
    return this;
  }

  private String job(int n) {
    return switch (n % 8) {
      case 0 ->
          "\"type\": \"demo.fail\", \"payload\": {\"times\": 1}, \"retry\": {\"initialDelay\":"
              + " \"PT0.1S\"}";
      case 1 -> effects.job(20) + ", \"delay\": \"PT0.7S\"";
      case 2 -> effects.job(400);
      case 3 -> effects.job(0) + ", \"priority\": 9";
      default -> effects.job(20);
    };
  }

  private int acknowledged() {
    return clients.stream().mapToInt(Clients::acknowledged).sum();
  }

  /** Waits until so many more jobs were acknowledged. */
  void awaitAcknowledged(int more) {
    int target = acknowledged() + more;
    await(more + " more jobs acknowledged")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> acknowledged() >= target);
  }

  /**
   * A percentile, such as p99, of the last jobs' times from runnable to started on the first node.
   */
  Duration waited(String percentile) throws IOException {
    return Duration.parse(
        stage
            .node(0)
            .api()
            .get("/v1/queues/" + queue)
            .json()
            .path("waited")
            .path(percentile)
            .asString());
  }

  /** Notes that something is broken from now until {@code heal} is done. */
  void broken(String name, Runnable heal) {
    double began = history.now();
    heal.run();
    history.add(new Event.Fault(began, history.now(), name, null));
  }

  /** Waits until a node's process has halted where it was told to. */
  void awaitHalt(int n) {
    assertThat(stage.node(n).awaitExit(SOON)).as("exit code").isEqualTo(Steps.HALTED);
  }

  /** Halts a node's process, and starts it again. */
  void kill(int n) {
    stage.node(n).kill9();
    died(n, () -> startAgain(n));
  }

  /** As whoever watches over a process does: if it ends at once, for want of a database, again. */
  private void startAgain(int n) {
    for (int tries = 1; ; tries++) {
      try {
        stage.node(n).start();
        return;
      } catch (TerminalFailureException ended) {
        if (tries == STARTS) {
          throw ended;
        }
      }
    }
  }

  /** Asks a node's process to end, and starts it again when it did. */
  void stop(int n) {
    stage.node(n).term();
    stage.node(n).awaitExit(SOON);
    died(n, () -> startAgain(n));
  }

  /**
   * Stops the database server at once, as a crash would, and starts it again. One at a time: two
   * may ask for it.
   */
  void restartPostgres(long awayMillis) {
    synchronized (stage) {
      broken(
          "PostgreSQL stopped at once",
          () -> {
            stage.postgres().stopImmediately();
            LockSupport.parkNanos(Duration.ofMillis(awayMillis).toNanos());
            stage.postgres().start();
          });
    }
  }

  /** Notes that a node's process is dead, until it is started. */
  void died(int n, Runnable start) {
    double began = history.now();
    start.run();
    history.add(new Event.Fault(began, history.now(), "process ended", Stage.name(n)));
  }

  /** Lets a node's process stand still. */
  void standStill(int n, Duration length) {
    broken(
        Event.Fault.STANDSTILL,
        () -> {
          stage.node(n).stop();
          LockSupport.parkNanos(length.toNanos());
          stage.node(n).cont();
        });
  }

  /** Ends the load, waits until all is done, and fails if an invariant was broken. */
  void judge() throws SQLException {
    Reliability.tell(fault, what, acknowledged(), judge(DRAIN));
    assertThat(counts.stream().filter(Count::isBroken)).as("%s: %s", fault, what).isEmpty();
  }

  /** How often something happened; known once the trial is judged. */
  double count(String name) {
    return counts.stream()
        .filter(count -> count.name().equals(name))
        .mapToDouble(Count::value)
        .sum();
  }

  /** The jobs that failed, but for the one that was meant to. */
  List<JobEnd> innocentOnesFailed(String guilty) throws SQLException {
    try (Connection connection = stage.postgres().connect()) {
      return Audit.ends(connection, queue).stream()
          .filter(end -> "failed".equals(end.state()) && !end.id().toString().equals(guilty))
          .toList();
    }
  }

  /**
   * Ends the load, waits until all is done or cannot be, and counts.
   *
   * @param drain how long it may take
   */
  List<Count> judge(Duration drain) throws SQLException {
    clients.forEach(Clients::close);
    boolean drained = isDrained(drain);
    over = true;
    join();
    List<Change> changes;
    try (Connection connection = stage.postgres().connect()) {
      changes = Audit.changes(connection, queue, history.start());
      counts =
          new Checker(
                  history,
                  changes,
                  Audit.ends(connection, queue),
                  CAP,
                  (Stage.LEASE.toMillis() + Stage.SWEEP.toMillis()) / 1e3)
              .check();
    }
    history.write(Path.of("target", "faults", queue + ".jsonl"), changes);
    log.info(
        "{} {}: {} acknowledged, {}\n  {}",
        fault,
        what,
        acknowledged(),
        drained ? "drained" : "NOT DRAINED",
        String.join("\n  ", counts.stream().map(Count::toString).toList()));
    return counts;
  }

  private boolean isDrained(Duration limit) throws SQLException {
    long end = System.nanoTime() + limit.toNanos();
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      while (System.nanoTime() - end < 0) {
        try (ResultSet row =
            statement.executeQuery(
                "select not exists (select from ready) and not exists (select from delayed)"
                    + " and not exists (select from lease)")) {
          row.next();
          if (row.getBoolean(1)) {
            return true;
          }
        }
        LockSupport.parkNanos(SAMPLE.toNanos());
      }
    }
    return false;
  }

  private void join() {
    try {
      sampler.join(SOON);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    clients.forEach(Clients::close);
    over = true;
    effects.close();
  }
}
