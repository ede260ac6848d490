package dev.millpond.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** The events of a job as a client reads them, over a connection of its own. */
public final class JobEvents implements AutoCloseable {

  private static final int READ_TIMEOUT_MILLIS = 20_000;

  private final Socket socket;
  private final BufferedReader in;
  private final List<String> head = new ArrayList<>();

  /** One event. */
  public record Event(String name, String id, JsonNode data) {}

  private JobEvents(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
  }

  /**
   * Asks for the events of a job, and reads the head of the answer.
   *
   * @param headers whole lines
   */
  public static JobEvents open(int port, String job, String... headers) throws IOException {
    return open(port, job, 0, headers);
  }

  /**
   * The same for a client that keeps little of what it does not read.
   *
   * @param buffer in bytes; 0 for the usual
   */
  public static JobEvents open(int port, String job, int buffer, String... headers)
      throws IOException {
    Socket socket = new Socket();
    if (buffer > 0) {
      socket.setReceiveBufferSize(buffer);
    }
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    JobEvents events = new JobEvents(socket);
    String lines = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    socket
        .getOutputStream()
        .write(
            ("GET /v1/jobs/" + job + "/events HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n")
                .getBytes(UTF_8));
    for (String line = events.in.readLine(); !line.isEmpty(); line = events.in.readLine()) {
      events.head.add(line);
    }
    return events;
  }

  public int status() {
    return Integer.parseInt(head.getFirst().split(" ", 3)[1]);
  }

  /** A header's value; empty if it is not there. */
  public String header(String name) {
    String begin = name.toLowerCase(Locale.ROOT) + ": ";
    return head.stream()
        .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(begin))
        .map(line -> line.substring(begin.length()))
        .findFirst()
        .orElse("");
  }

  /** The next line, whatever it is; empty at the end. */
  public Optional<String> line() throws IOException {
    return Optional.ofNullable(in.readLine());
  }

  /** The next event, past comments and what else is none; empty at the end. */
  public Optional<Event> next() throws IOException {
    String name = "";
    String id = "";
    String data = "";
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.startsWith("event: ")) {
        name = line.substring(7);
      } else if (line.startsWith("id: ")) {
        id = line.substring(4);
      } else if (line.startsWith("data: ")) {
        data = line.substring(6);
      } else if (line.isEmpty() && !data.isEmpty()) {
        return Optional.of(new Event(name, id, ApiClient.JSON.readTree(data)));
      }
    }
    return Optional.empty();
  }

  /** The rest, to the end. */
  public List<Event> rest() throws IOException {
    List<Event> events = new ArrayList<>();
    for (Optional<Event> event = next(); event.isPresent(); event = next()) {
      events.add(event.get());
    }
    return events;
  }

  /** Goes away. */
  @Override
  public void close() throws IOException {
    socket.close();
  }
}
