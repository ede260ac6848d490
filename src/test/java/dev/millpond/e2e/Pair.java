package dev.millpond.e2e;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.PostgresServer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Two services, left and right, on one PostgreSQL. */
final class Pair implements AutoCloseable {

  private final PostgresServer postgres;
  private final MillpondProcess left;
  private final MillpondProcess right;

  /**
   * @param name of the directories in which they keep what they write
   */
  Pair(String name, Duration lease) {
    this.postgres = new PostgresServer(name + "-postgres");
    this.left = node(name, "left", lease);
    this.right = node(name, "right", lease);
    left.start();
    right.start();
  }

  private MillpondProcess node(String name, String side, Duration lease) {
    Map<String, String> properties = new HashMap<>(postgres.properties());
    properties.put("millpond.node", side);
    properties.put("millpond.lease.duration", lease.toString());
    properties.put("millpond.lease.sweep", "PT0.5S");
    properties.put("millpond.http.allow-private-addresses", "true");
    properties.put("millpond.http.max-connections-per-host", "64");
    return new MillpondProcess(name + "-" + side, properties);
  }

  MillpondProcess left() {
    return left;
  }

  MillpondProcess right() {
    return right;
  }

  @Override
  public void close() {
    left.close();
    right.close();
    postgres.close();
  }
}
