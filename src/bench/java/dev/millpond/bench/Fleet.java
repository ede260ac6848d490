package dev.millpond.bench;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One or more nodes of the packaged service on one PostgreSQL beside them. */
final class Fleet implements AutoCloseable {

  private static final Duration GRACE = Duration.ofSeconds(2);

  private final PostgresServer postgres;
  private final List<MillpondProcess> nodes = new ArrayList<>();

  Fleet(String name, int size) {
    postgres = new PostgresServer("bench-" + name + "-postgres");
    for (int n = 0; n < size; n++) {
      Map<String, String> properties = new HashMap<>(postgres.properties());
      properties.put("millpond.node", "node-" + n);
      properties.put("millpond.lease.duration", "PT3S");
      properties.put("millpond.lease.sweep", "PT0.5S");
      properties.put("millpond.worker.grace", GRACE.toString());
      // A bound, as in a container: else the heap grows as far as the machine lets it.
      nodes.add(
          new MillpondProcess(
                  "bench-" + name + "-" + n, properties, MillpondProcess.jar("-Xmx384m"))
              .start());
    }
  }

  MillpondProcess node(int n) {
    return nodes.get(n % nodes.size());
  }

  int size() {
    return nodes.size();
  }

  /** Sets the queue, on every node within a second. */
  void queue(String queue, String settings) throws IOException {
    var answer = node(0).api().put("/v1/queues/" + queue, settings);
    if (answer.status() / 100 != 2) {
      throw new IllegalStateException(answer.toString());
    }
  }

  Connection connect() throws SQLException {
    Map<String, String> url = postgres.properties();
    return DriverManager.getConnection(
        url.getOrDefault("spring.datasource.url", ""),
        url.getOrDefault("spring.datasource.username", ""),
        url.getOrDefault("spring.datasource.password", ""));
  }

  /** The numbers in each row of an answer. */
  List<double[]> query(String sql) throws SQLException {
    try (Connection connection = connect()) {
      return query(connection, sql);
    }
  }

  static List<double[]> query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<double[]> all = new ArrayList<>();
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        double[] row = new double[columns];
        for (int n = 0; n < columns; n++) {
          row[n] = rows.getDouble(n + 1);
        }
        all.add(row);
      }
      return all;
    }
  }

  /** What the first node's process holds in memory, in MiB. */
  double residentMegabytes() throws IOException {
    try (var lines = Files.lines(Path.of("/proc", Long.toString(node(0).pid()), "status"))) {
      return lines
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElse(0)
          / 1_024.0;
    }
  }

  @Override
  public void close() {
    nodes.forEach(MillpondProcess::close);
    postgres.close();
  }
}
