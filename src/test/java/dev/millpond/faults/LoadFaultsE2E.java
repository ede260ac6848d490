package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Jobs, clients and neighbours that take more than their part. */
@Timeout(300)
@Tag("whole")
class LoadFaultsE2E {

  /** What two looks at the same thing may differ by on a machine that others use. */
  private static final Duration NOISE = Duration.ofMillis(50);

  private static Stage stage;

  @BeforeAll
  static void start() {
    stage = new Stage("load", 2, "");
  }

  @AfterAll
  static void stop() {
    stage.close();
  }

  @Test
  void jobsThatAlwaysFailHoldUpNobody() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "K11", "every third job fails whenever it runs")) {
      trial.load().awaitAcknowledged(600);
      Duration alone = trial.waited("p95");
      String hopeless =
          "\"type\": \"demo.fail\", \"payload\": {\"times\": 1000}, \"retry\": {\"maxAttempts\": 3,"
              + " \"initialDelay\": \"PT0.1S\"}";
      trial.load(6, Duration.ofMillis(10), n -> hopeless).awaitAcknowledged(1_500);
      Duration beside = trial.waited("p95");
      String unreadable = submitUnreadable(trial);
      trial.judge();
      assertThat(beside).isLessThan(alone.multipliedBy(2).plus(NOISE));
      List<JobEnd> failed = trial.innocentOnesFailed(unreadable);
      assertThat(failed).isNotEmpty().allMatch(job -> job.attempt() == 3);
      var job = stage.node(0).api().job(unreadable);
      assertThat(job.path("state").asString()).as("%s", job).isEqualTo("failed");
      assertThat(job.path("error").path("type").asString()).isEqualTo("payload-unreadable");
    }
  }

  /** A job whose payload was good when it came, and is not any more: as after a new version. */
  private static String submitUnreadable(Trial trial) throws IOException, SQLException {
    trial.history().add(new Event.Submitted(trial.history().now(), "unreadable"));
    String id =
        stage
            .node(0)
            .api()
            .submit(
                trial.queue(),
                "{\"type\": \"demo.sleep\", \"payload\": {\"duration\": \"PT0.1S\"}, \"delay\":"
                    + " \"PT1S\", \"labels\": {\"key\": \"unreadable\"}}");
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      assertThat(
              statement.executeUpdate(
                  "update job set payload = '{\"duration\": 7}' where id = '%s'".formatted(id)))
          .isEqualTo(1);
    }
    return id;
  }

  @Test
  void connectionsThatHangDoNotCostALease() throws IOException, SQLException {
    try (Trial trial =
        new Trial(stage, "P12", "statements of clients hang for two leases, on a locked table")) {
      trial.load(2, Duration.ofMillis(100), n -> trial.effects().job(8_000));
      trial.load().awaitAcknowledged(200);
      trial.broken("table locked", () -> lockJobs(Stage.LEASE.multipliedBy(2)));
      trial.awaitAcknowledged(200);
      trial.judge();
      assertThat(trial.count("F2")).as("submits refused").isPositive();
      assertThat(trial.count("F3")).as("attempts whose worker was lost").isZero();
    }
  }

  /** Submits answer within two seconds all the while, and the process says that it lives. */
  private static void lockJobs(Duration length) {
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("lock table job in access exclusive mode");
      long end = System.nanoTime() + length.toNanos();
      List<Duration> alive = new ArrayList<>();
      while (System.nanoTime() - end < 0) {
        long began = System.nanoTime();
        assertThat(stage.node(0).api().get("/actuator/health/liveness").status()).isEqualTo(200);
        alive.add(Duration.ofNanos(System.nanoTime() - began));
        LockSupport.parkNanos(NOISE.toNanos());
      }
      long began = System.nanoTime();
      ApiClient.Answer answer =
          stage.node(0).api().post("/v1/queues/hung/jobs", "{\"type\": \"demo.noop\"}");
      assertThat(answer.status()).isEqualTo(503);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofMillis(2_500));
      connection.rollback();
      assertThat(Percentile.of(alive, 0.95)).as("liveness").isLessThan(Duration.ofMillis(200));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void slowConnectionsAreClosedAndSlowNobody() throws IOException, SQLException {
    try (Trial trial = new Trial(stage, "H4", "a thousand connections that never finish a head")) {
      trial.load().awaitAcknowledged(100);
      Duration alone = answeredWithin();
      List<Socket> slow = new ArrayList<>();
      try {
        for (int n = 0; n < 1_000; n++) {
          Socket socket = new Socket(InetAddress.getLoopbackAddress(), stage.node(0).port());
          slow.add(socket);
          write(socket, "POST /v1/jobs HTTP/1.1\r\n");
        }
        Duration beside = answeredWithin();
        assertThat(beside).isLessThan(alone.multipliedBy(2).plus(NOISE));
        assertThat(slow).allMatch(LoadFaultsE2E::isClosedByTheService);
      } finally {
        for (Socket socket : slow) {
          socket.close();
        }
      }
      trial.awaitAcknowledged(100);
      trial.judge();
    }
  }

  private static void write(Socket socket, String bytes) throws IOException {
    socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
  }

  /** Waits for it, as long as a slow client may take, and some time more. */
  private static boolean isClosedByTheService(Socket socket) {
    try {
      socket.setSoTimeout(60_000);
      while (socket.getInputStream().read() >= 0) {
        // An answer that says why, perhaps.
      }
      return true;
    } catch (SocketTimeoutException open) {
      return false;
    } catch (SocketException reset) {
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The 99th percentile of submits one after the other. */
  private static Duration answeredWithin() throws IOException {
    ApiClient api = stage.node(0).api();
    List<Duration> took = new ArrayList<>();
    for (int n = 0; n < 500; n++) {
      long began = System.nanoTime();
      api.submit("beside", "{\"type\": \"demo.noop\"}");
      took.add(Duration.ofNanos(System.nanoTime() - began));
    }
    return Percentile.of(took, 0.99);
  }
}
