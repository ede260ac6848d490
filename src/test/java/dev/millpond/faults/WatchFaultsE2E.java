package dev.millpond.faults;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Five thousand clients that watch jobs on one node (H8). */
@Tag("whole")
@Timeout(600)
class WatchFaultsE2E {

  private static final int MANY = 5_000;
  private static final int JOBS = 100;

  /** Who come all at once are sent away: requests that wait for the database are bounded. */
  private static final int BURST = 100;

  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Logger log = LoggerFactory.getLogger(WatchFaultsE2E.class);

  private final List<Socket> clients = new ArrayList<>();

  @Test
  void fiveThousandStreamsCostLittleAndAreToldByFewStatements() throws Exception {
    watch("events", "GET /v1/jobs/%s/events HTTP/1.1\r\nHost: localhost\r\n\r\n", 30);
  }

  private void watch(String name, String request, int mostKib) throws Exception {
    try (PostgresServer postgres = new PostgresServer("watch-" + name + "-postgres");
        MillpondProcess service =
            new MillpondProcess(
                "watch-" + name, postgres.properties(), MillpondProcess.quick("-Xmx768m"));
        Connection database = postgres.connect()) {
      service.start();
      ApiClient api = service.api();
      List<String> ids = api.submitAll("watched", later());
      connect(service, api, request, ids, 50); // what is made once is made
      Live before = Live.of(service);
      double threadsBefore = api.metric("jvm_threads_live_threads");

      connect(service, api, request, ids, MANY);
      Live after = Live.of(service);
      long each = (after.bytes - before.bytes) / (MANY - 50);
      double threads = api.metric("jvm_threads_live_threads") - threadsBefore;
      long idle = statementsIn(database, Duration.ofSeconds(5));
      log.info(
          "{}: {} bytes of heap each, {} more threads, {} statements in 5 s",
          name,
          each,
          threads,
          idle);
      assertThat(each).isLessThan(mostKib * 1_024L);
      assertThat(threads).isLessThan(10);
      assertThat(after.virtualThreads).as("virtual threads").isLessThan(100);
      await("no connection is held; the looks need one for a moment")
          .atMost(SOON)
          .pollDelay(Duration.ZERO)
          .until(() -> api.metric("hikaricp_connections_active") == 0);
      assertThat(idle).isLessThan(100);

      tellAll(api, database, ids);
    } finally {
      for (Socket client : clients) {
        client.close();
      }
    }
  }

  private static List<String> later() {
    return Collections.nCopies(JOBS, "{\"type\": \"demo.noop\", \"delay\": \"PT1H\"}");
  }

  private void connect(
      MillpondProcess service, ApiClient api, String request, List<String> ids, int upTo)
      throws IOException {
    while (clients.size() < upTo) {
      if (clients.size() % BURST == 0) {
        awaitWatchers(api, clients.size());
      }
      Socket client = new Socket(InetAddress.getLoopbackAddress(), service.port());
      client.setSoTimeout((int) SOON.toMillis());
      clients.add(client);
      String job = ids.get(clients.size() % ids.size());
      client.getOutputStream().write(request.formatted(job).getBytes(UTF_8));
    }
    awaitWatchers(api, upTo);
  }

  private static void awaitWatchers(ApiClient api, int number) {
    await()
        .atMost(SOON)
        .pollDelay(Duration.ZERO)
        .until(() -> api.metric("millpond_watchers") == number);
  }

  /** All jobs change at once, and each client is told. */
  private void tellAll(ApiClient api, Connection database, List<String> ids) throws Exception {
    long before = statements(database);
    long begin = System.nanoTime();
    assertThat(api.post("/v1/queues/watched/jobs/cancel", "{}").status()).isIn(200, 202);
    for (Socket client : clients) {
      readTo(client.getInputStream(), "\"cancelled\"");
    }
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    long statements = statements(database) - before;
    log.info("{} told of {} changes after {} by {} statements", MANY, ids.size(), took, statements);
    assertThat(statements).isLessThan(MANY / 10);
    await().atMost(SOON).until(() -> api.metric("millpond_watchers") == 0);
  }

  private static void readTo(InputStream in, String end) throws IOException {
    StringBuilder seen = new StringBuilder();
    byte[] part = new byte[8_192];
    while (seen.indexOf(end) < 0) {
      int n = in.read(part);
      assertThat(n).as("the end of %s", seen).isPositive();
      seen.append(new String(part, 0, n, UTF_8));
    }
  }

  /** What is alive on the heap. */
  private record Live(long bytes, long virtualThreads) {

    static Live of(MillpondProcess service) throws IOException, InterruptedException {
      String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
      Process histogram =
          new ProcessBuilder(jcmd, Long.toString(service.pid()), "GC.class_histogram").start();
      List<String> lines =
          new String(histogram.getInputStream().readAllBytes(), UTF_8).lines().toList();
      assertThat(histogram.waitFor()).as(lines.toString()).isZero();
      return new Live(
          lines.stream()
              .filter(line -> line.startsWith("Total"))
              .mapToLong(line -> column(line, 2))
              .findFirst()
              .orElseThrow(),
          lines.stream()
              .filter(line -> line.contains(" java.lang.VirtualThread "))
              .mapToLong(line -> column(line, 1))
              .sum());
    }

    private static long column(String line, int number) {
      return Long.parseLong(line.strip().split("\\s+", -1)[number]);
    }
  }

  private static long statementsIn(Connection database, Duration time) throws SQLException {
    long before = statements(database);
    long end = System.nanoTime() + time.toNanos();
    await().atMost(SOON).until(() -> System.nanoTime() - end >= 0);
    return statements(database) - before;
  }

  /** Each statement is a transaction of its own, but for a few. */
  private static long statements(Connection database) throws SQLException {
    try (Statement statement = database.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select xact_commit from pg_stat_database where datname = current_database()")) {
      row.next();
      return row.getLong(1);
    }
  }
}
