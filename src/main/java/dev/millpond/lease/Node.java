package dev.millpond.lease;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/**
 * This process among the nodes that share a database. By default its name is the host's with the
 * port that it listens on, which no two live processes share, so that leases under this name and
 * another incarnation are known to be of a former life.
 */
@Component
public final class Node {

  private final String name;
  private final UUID incarnation = UUID.randomUUID();

  /** Written when books are opened, read by every statement that changes how many jobs wait. */
  private volatile UUID account = incarnation;

  Node(@Value("${millpond.node:}") String configured, @Value("${server.port:8080}") int port) {
    this.name = configured.isBlank() ? hostName() + ":" + portOrRandom(port) : configured;
  }

  /** The node's name, unique among the nodes of a database, the same after a restart. */
  public String name() {
    return name;
  }

  /** The life of this process: another one after each start. */
  UUID incarnation() {
    return incarnation;
  }

  /** The books that this node writes to now; see {@code room} in the schema. */
  public UUID account() {
    return account;
  }

  /** From now on this node writes to these books, which have been opened. */
  public void account(UUID opened) {
    account = opened;
  }

  private String portOrRandom(int port) {
    // On a port chosen by the system there is no telling whose former life a lease was.
    return port == 0 ? incarnation.toString() : Integer.toString(port);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
