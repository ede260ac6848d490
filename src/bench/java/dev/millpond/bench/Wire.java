package dev.millpond.bench;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Submits over kept connections, with as little work as can be, so that the generator takes little
 * of the processors that it shares with the service.
 */
final class Wire {

  /** The service closes a connection that rests for 30 s. */
  private static final Duration KEPT = Duration.ofSeconds(10);

  /**
   * A client of one host has some; one that opens a connection a request finds the limit of the
   * service instead. A request that waits for one is measured from when it should have gone out.
   */
  private final Semaphore connections = new Semaphore(256, true);

  private final URI node;

  /** Connections at rest, the last used one first. */
  private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();

  Wire(URI node) {
    this.node = node;
  }

  /** What the service answered. */
  record Answer(int status, String body) {

    JsonNode json() {
      return JsonMapper.shared().readTree(body);
    }

    boolean isQueueFull() {
      return status == 503 && body.contains("queue-full");
    }
  }

  /**
   * @param headers whole lines
   */
  Answer submit(String queue, String job, String... headers) throws IOException {
    String head =
        "POST /v1/queues/%s/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            .formatted(queue, job.length());
    StringBuilder request = new StringBuilder(head);
    for (String header : headers) {
      request.append(header).append("\r\n");
    }
    request.append("\r\n").append(job);
    connections.acquireUninterruptibly();
    try {
      Connection connection = connection();
      Answer answer = connection.exchange(request.toString());
      if (connection.kept) {
        connection.used = System.nanoTime();
        idle.push(connection);
      } else {
        connection.socket.close();
      }
      return answer;
    } finally {
      connections.release();
    }
  }

  private Connection connection() throws IOException {
    for (Connection kept = idle.poll(); kept != null; kept = idle.poll()) {
      if (System.nanoTime() - kept.used < KEPT.toNanos()) {
        return kept;
      }
      kept.socket.close();
    }
    return new Connection(node.getPort());
  }

  private static final class Connection {

    private long used;
    private boolean kept = true;
    private final Socket socket;
    private final InputStream in;

    Connection(int port) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(30_000);
      in = new BufferedInputStream(socket.getInputStream());
    }

    Answer exchange(String request) throws IOException {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      int status = Integer.parseInt(line().split(" ", -1)[1]);
      int length = -1;
      for (String line = line(); !line.isEmpty(); line = line()) {
        if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
          length = Integer.parseInt(line.substring(15).strip());
        }
        kept &= !line.equalsIgnoreCase("connection: close");
      }
      return new Answer(
          status,
          new String(length < 0 ? chunks() : in.readNBytes(length), StandardCharsets.UTF_8));
    }

    private byte[] chunks() throws IOException {
      StringBuilder body = new StringBuilder();
      for (int size = size(); size > 0; size = size()) {
        body.append(new String(in.readNBytes(size), StandardCharsets.ISO_8859_1));
        line();
      }
      line();
      return body.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private int size() throws IOException {
      return Integer.parseInt(line(), 16);
    }

    private String line() throws IOException {
      StringBuilder line = new StringBuilder();
      for (int c = in.read(); c != '\n'; c = in.read()) {
        if (c < 0) {
          throw new EOFException("the service closed the connection");
        }
        if (c != '\r') {
          line.append((char) c);
        }
      }
      return line.toString();
    }
  }
}
