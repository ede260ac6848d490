package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A database that fails, stops, or is out of reach. */
@Timeout(180)
class DatabaseFaultsE2E {

  private static final String BEFORE =
      "fail,org.postgresql.jdbc.PgPreparedStatement,executeWithFlags,enter,5";
  private static final String AFTER =
      "fail,org.postgresql.jdbc.PgPreparedStatement,executeWithFlags,exit,5";

  private static final Breakage breakage = new Breakage("database", 5, List.of(BEFORE, AFTER));

  /** What a transaction's age is that the log tells of. */
  private static final double OLD_SECONDS = 15;

  private static Stage stage;

  @BeforeAll
  static void start() {
    stage = new Stage("database", 2, "", breakage.option());
  }

  @AfterAll
  static void stop() {
    stage.close();
  }

  private static void pause(Duration length) {
    LockSupport.parkNanos(length.toNanos());
  }

  @ParameterizedTest
  @ValueSource(strings = {BEFORE, AFTER})
  void statementsFail(String step) throws IOException, SQLException {
    String when = step.equals(BEFORE) ? "before" : "after";
    try (Trial trial =
        new Trial(stage, "S1", "5 % of a node's statements fail " + when + " they took effect")) {
      trial.load().awaitAcknowledged(100);
      trial.broken(
          "statements fail",
          () -> {
            breakage.arm(step);
            trial.awaitAcknowledged(600);
            breakage.disarm();
          });
      trial.awaitAcknowledged(100);
      trial.judge();
      assertThat(trial.count("F2")).as("submits refused").isPositive();
    } finally {
      breakage.disarm();
    }
  }

  @Test
  void connectionsAreTerminated() throws IOException, SQLException {
    Random random = new Random(1);
    try (Trial trial = new Trial(stage, "P1", "a random connection terminated every 200 ms")) {
      trial.load().awaitAcknowledged(100);
      trial.broken(
          "connections terminated",
          () -> {
            for (int n = 0; n < 40; n++) {
              List<Integer> backends = backends();
              execute(
                  "select pg_terminate_backend(%d)"
                      .formatted(backends.get(random.nextInt(backends.size()))));
              pause(Duration.ofMillis(200));
            }
          });
      trial.awaitAcknowledged(200);
      trial.judge();
    }
  }

  @Test
  void aBackendIsKilled() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "P2", "kill -9 of one PostgreSQL backend")) {
      trial.load().awaitAcknowledged(200);
      long began = System.nanoTime();
      trial.broken(
          "backend killed",
          () -> {
            ProcessHandle.of(backends().getFirst()).orElseThrow().destroyForcibly();
            trial.awaitAcknowledged(50);
          });
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
      trial.judge();
    }
  }

  @Test
  void stopsAtOnceAndStartsAgainAndAgain() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "P3", "stopped at once and started, five times")) {
      trial.load();
      for (int n = 0; n < 5; n++) {
        trial.awaitAcknowledged(100);
        trial.restartPostgres(0);
      }
      trial.awaitAcknowledged(200);
      trial.judge();
    }
  }

  @Test
  @Tag("whole")
  void isAway() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "P4", "away for 12 s")) {
      trial.load().awaitAcknowledged(100);
      trial.restartPostgres(12_000);
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F2")).as("submits refused").isPositive();
    }
  }

  @Test
  @Tag("whole")
  void somebodyElseHoldsTheFirstJobs() throws IOException, SQLException {
    try (Trial trial =
        new Trial(stage, "P9", "another transaction locks the next jobs for a lease")) {
      trial.load().awaitAcknowledged(200);
      assertThat(Locked.doneBeside(stage, Stage.LEASE)).isGreaterThan(Locked.IN_FLIGHT);
      trial.judge();
    }
  }

  /** For half of {@code -Dfaults.seconds}. */
  @Test
  @Tag("whole")
  @Timeout(1_800)
  void somebodyKeepsASnapshotOpen() throws IOException, SQLException {
    Duration length = Duration.ofSeconds(Math.max(60, Long.getLong("faults.seconds", 30) / 2));
    try (Trial trial =
        new Trial(
            stage,
            "P9",
            "another transaction keeps a snapshot for %d s".formatted(length.toSeconds()))) {
      trial.load().awaitAcknowledged(600);
      Duration alone = trial.waited("p99");
      Duration beside;
      try (Connection connection = stage.postgres().connect();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        statement.execute("select from job limit 1");
        await("the log tells of it")
            .atMost(Duration.ofSeconds(60))
            .pollInterval(Duration.ofSeconds(1))
            .until(
                () ->
                    Files.readString(stage.node(0).log().toPath())
                        .contains("dead rows pile up and slow the queues down"));
        assertThat(stage.node(0).api().metric("millpond_database_oldest_transaction_seconds"))
            .isGreaterThan(OLD_SECONDS);
        pause(length);
        beside = trial.waited("p99");
        connection.rollback();
      }
      trial.judge();
      assertThat(beside).isLessThan(alone.multipliedBy(3).plusMillis(50));
    }
  }

  @Test
  @Tag("whole")
  void theListenersGoDead() throws IOException, SQLException {
    try (Trial trial =
        new Trial(stage, "P15", "the connections that listen for hints stand still")) {
      trial.load().awaitAcknowledged(100);
      List<Integer> dead = listeners();
      assertThat(dead).hasSize(2);
      trial.broken(
          "listeners stand still",
          () -> {
            dead.forEach(pid -> MillpondProcess.signal("STOP", pid));
            try {
              await("others listen")
                  .atMost(Duration.ofSeconds(20))
                  .pollInterval(Duration.ofMillis(500))
                  .until(
                      () -> listeners().stream().filter(pid -> !dead.contains(pid)).count() == 2);
              trial.awaitAcknowledged(100);
            } finally {
              dead.forEach(pid -> MillpondProcess.signal("CONT", pid));
            }
          });
      trial.awaitAcknowledged(100);
      trial.judge();
    }
  }

  private static List<Integer> listeners() {
    return pids("query ilike 'listen %'");
  }

  @Test
  @Tag("whole")
  void theLineIsCut() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "N1", "one node's line to the database cut for 4 s")) {
      trial.load().awaitAcknowledged(100);
      trial.broken(
          "line cut",
          () -> {
            stage.line(0).cut();
            pause(Duration.ofSeconds(4));
            stage.line(0).heal();
          });
      trial.awaitAcknowledged(200);
      trial.judge();
    }
  }

  @Test
  @Tag("whole")
  void theLineGoesDead() throws IOException, SQLException {
    try (Trial trial =
        new Trial(stage, "N2", "one node's line dead without a reset for 5 s, then alive")) {
      trial.load().awaitAcknowledged(100);
      trial.broken(
          "line dead",
          () -> {
            stage.line(0).goDead();
            pause(Duration.ofSeconds(5));
            stage.line(0).heal();
          });
      trial.awaitAcknowledged(200);
      trial.judge();
    }
  }

  @Test
  @Tag("whole")
  void cancelsAndHurriesInOppositeOrderDoNotDeadlock() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "P7", "8 clients cancel, hurry and run the same jobs")) {
      trial.load(1, Duration.ofSeconds(1), n -> trial.effects().job(0));
      long before = deadlocks();
      for (int round = 0; round < 5; round++) {
        List<String> ids = new ArrayList<>();
        for (int n = 0; n < 2; n++) {
          List<String> jobs = new ArrayList<>();
          for (int job = 0; job < 50; job++) {
            String key = "pair-%d-%d-%d".formatted(round, n, job);
            trial.history().add(new Event.Submitted(trial.history().now(), key));
            jobs.add(
                "{%s, \"delay\": \"PT%dS\", \"labels\": {\"key\": \"%s\"}}"
                    .formatted(trial.effects().job(5), job % 3, key));
          }
          ids.addAll(stage.node(n).api().submitAll(trial.queue(), jobs));
        }
        for (String id : ids) {
          trial.history().add(new Event.Hurried(trial.history().now(), UUID.fromString(id)));
        }
        race(ids);
      }
      trial.judge();
      assertThat(deadlocks() - before).isZero();
    }
  }

  private static void race(List<String> ids) {
    List<Thread> threads = new ArrayList<>();
    for (int n = 0; n < 8; n++) {
      List<String> order = new ArrayList<>(ids);
      if (n % 2 == 0) {
        Collections.reverse(order);
      }
      ApiClient api = stage.node(n % 2).api();
      String verb = n < 4 ? "/cancel" : "/retry";
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (String id : order) {
                      try {
                        api.post("/v1/jobs/" + id + verb, "");
                      } catch (IOException e) {
                        throw new UncheckedIOException(e);
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static long deadlocks() throws SQLException {
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select sum(deadlocks) from pg_stat_database")) {
      row.next();
      return row.getLong(1);
    }
  }

  private static List<Integer> backends() {
    return pids("true");
  }

  /** The service's connections, as the server knows them. */
  private static List<Integer> pids(String which) {
    List<Integer> backends = new ArrayList<>();
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select pid from pg_stat_activity where application_name like 'millpond%' and "
                    + which)) {
      while (row.next()) {
        backends.add(row.getInt(1));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return backends;
  }

  private static void execute(String sql) {
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
