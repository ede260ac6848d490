package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Processes of the service that end, or stand still, at the worst moment. */
@Timeout(180)
class ProcessFaultsE2E {

  private static final String SUBMIT = "dev.millpond.admission.AdmissionSql,submit";
  private static final String CLAIM = "dev.millpond.lease.LeaseSql,claim";
  private static final String SETTLE = "dev.millpond.lease.LeaseSql,settle";
  private static final String POISON = "dev.millpond.handler.DemoPrimes,handle";

  /** The step is passed so often before, so that it is in the midst of the load. */
  private static final Breakage breakage =
      new Breakage(
          "processes",
          0,
          List.of(
              "halt," + SUBMIT + ",enter,40",
              "halt," + SUBMIT + ",exit,40",
              "halt," + CLAIM + ",exit,40",
              "halt," + SETTLE + ",enter,40",
              "halt," + SETTLE + ",exit,40",
              "halt," + POISON + ",enter,1"));

  private static Stage stage;

  @BeforeAll
  static void start() {
    stage = new Stage("processes", 2, "", breakage.option());
  }

  @AfterAll
  static void stop() {
    stage.close();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "K2 | halts after the commit of a submit, before the answer | halt," + SUBMIT + ",exit,40",
      })
  void haltsAtAStep(String fault, String what, String step) throws IOException, SQLException {
    haltAt(fault, what, step);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @Tag("whole")
  @CsvSource(
      delimiter = '|',
      value = {
        "K1 | halts before the commit of a submit | halt," + SUBMIT + ",enter,40",
        "K3 | halts after a claim, before the handlers | halt," + CLAIM + ",exit,40",
        "K3 | halts after the effects, before their settlement | halt," + SETTLE + ",enter,40",
        "K3 | halts after the commit of a settlement | halt," + SETTLE + ",exit,40",
      })
  void haltsAtAnotherStep(String fault, String what, String step) throws IOException, SQLException {
    haltAt(fault, what, step);
  }

  private static void haltAt(String fault, String what, String step)
      throws IOException, SQLException {
    try (Trial trial = new Trial(stage, fault, what)) {
      trial.load().awaitAcknowledged(100);
      breakage.arm(step);
      trial.awaitHalt(0);
      trial.died(0, stage.node(0)::start);
      trial.awaitAcknowledged(200);
      trial.judge();
      String felt = fault.equals("K3") ? "F4" : "F1";
      assertThat(trial.count(felt)).as("runs repeated, or submits without an answer").isPositive();
    } finally {
      breakage.disarm();
    }
  }

  @Test
  @Tag("whole")
  void isKilledWhileHandlersRun() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K3", "killed inside a handler")) {
      trial.load(2, Duration.ofMillis(100), n -> trial.effects().job(1_500));
      trial.load().awaitAcknowledged(200);
      trial.kill(0);
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isPositive();
    }
  }

  @Test
  void allNodesAreKilled() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K4", "all nodes killed at once")) {
      trial.load().awaitAcknowledged(200);
      stage.node(0).kill9();
      stage.node(1).kill9();
      trial.died(
          0,
          () -> {
            stage.node(0).launch();
            trial.died(1, stage.node(1)::start);
            stage.node(0).awaitReady();
          });
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isPositive();
    }
  }

  /** For longer: {@link KeyFaultsE2E}. */
  @Test
  @Tag("whole")
  void concurrencyKeysHoldWhileANodeIsKilled() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "I9", "concurrency keys, a node killed")) {
      KeyFaultsE2E.load(trial);
      trial.awaitAcknowledged(100);
      trial.kill(0);
      trial.awaitAcknowledged(100);
      trial.judge();
    }
  }

  /** For longer, and on three nodes: {@link ScheduleFaultsE2E}. */
  @Test
  @Tag("whole")
  void aScheduleFiresEachSecondOnceWhileNodesAreKilled() throws IOException {
    new EachSecond(stage, 1).run(Duration.ofSeconds(5));
  }

  @Test
  @Tag("whole")
  void isToldToStopTwice() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K5", "SIGTERM under load, and again")) {
      // Some of these are longer than the grace.
      trial.load(4, Duration.ofMillis(50), n -> trial.effects().job(n % 2 == 0 ? 3_000 : 300));
      trial.load().awaitAcknowledged(200);
      long told = System.nanoTime();
      stage.node(0).term();
      stage.node(0).term();
      stage.node(0).awaitExit(Duration.ofSeconds(30));
      assertThat(Duration.ofNanos(System.nanoTime() - told)).isLessThan(Stage.GRACE.plusSeconds(2));
      trial.died(0, stage.node(0)::start);
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F4")).as("jobs given back and run again").isPositive();
    }
  }

  @Test
  @Tag("whole")
  void standsStillForLongerThanALease() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K6", "stopped for two leases, then continued")) {
      // Some of these surely run when it stops.
      trial.load(2, Duration.ofMillis(100), n -> trial.effects().job(400));
      trial.load().awaitAcknowledged(200);
      trial.standStill(0, Stage.LEASE.multipliedBy(2));
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isPositive();
      await("the zombie has let go")
          .atMost(Duration.ofSeconds(20))
          .until(() -> stage.node(0).api().metric("millpond_slots_used") == 0);
    }
  }

  @Test
  @Tag("whole")
  void standsStillForHalfALease() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K7", "stopped for half a lease")) {
      trial.load().awaitAcknowledged(200);
      trial.standStill(0, Stage.LEASE.dividedBy(2));
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isZero();
    }
  }

  @Test
  @Tag("whole")
  void aJobKillsEveryProcessThatRunsIt() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K8", "one job among hundreds kills its process")) {
      stage.node(1).term();
      stage.node(1).awaitExit(Duration.ofSeconds(30));
      String poison = "halt," + POISON + ",enter,1";
      breakage.arm(poison);
      AtomicInteger innocent = new AtomicInteger();
      String bad =
          stage
              .node(0)
              .api()
              .submit(
                  trial.queue(),
                  "{\"type\": \"demo.primes\", \"payload\": {\"upTo\": 10}, \"delay\": \"PT1S\","
                      + " \"labels\": {\"key\": \"bad\"}}");
      trial.history().add(new Event.Submitted(trial.history().now(), "bad"));
      trial.load(
          4, Duration.ofMillis(10), n -> trial.effects().job(innocent.incrementAndGet() % 50));
      for (int death = 1; death < 3; death++) {
        trial.awaitHalt(0);
        breakage.arm(poison);
        // It may die again before it is ready.
        trial.died(0, stage.node(0)::launch);
      }
      trial.awaitHalt(0);
      trial.died(0, stage.node(0)::start);
      trial.awaitAcknowledged(100);
      trial.died(1, stage.node(1)::start);
      trial.judge();
      var job = stage.node(0).api().job(bad);
      assertThat(job.path("state").asString()).as("%s", job).isEqualTo("failed");
      assertThat(job.path("error").path("type").asString()).isEqualTo("worker-lost");
      assertThat(trial.innocentOnesFailed(bad)).as("jobs beside it that failed").isEmpty();
    } finally {
      breakage.disarm();
    }
  }
}
