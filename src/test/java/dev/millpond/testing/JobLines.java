package dev.millpond.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A stream of jobs by hand: sends and reads at the same time, over chunks. */
public final class JobLines implements AutoCloseable {

  private static final int READ_TIMEOUT_MILLIS = 20_000;

  private final Socket socket;
  private final BufferedReader in;

  /** Of the chunk at hand. */
  private int left;

  private JobLines(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
  }

  /** Opens a stream, whose head of the answer comes before any line is sent. */
  public static JobLines open(int port, String path) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    JobLines lines = new JobLines(socket);
    lines.write(
        "POST "
            + path
            + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n");
    String status = lines.in.readLine();
    if (!Objects.equals(status, "HTTP/1.1 200 ")) {
      throw new IllegalStateException("no stream: " + status);
    }
    for (String header = status; header != null && !header.isEmpty(); ) {
      header = lines.in.readLine();
    }
    return lines;
  }

  /** Sends a line. */
  public void send(String line) {
    sendRaw(line + "\n");
  }

  /** Sends a part of a line; does nothing when the connection is cut. */
  public void sendRaw(String part) {
    try {
      write(Integer.toHexString(part.getBytes(UTF_8).length) + "\r\n" + part + "\r\n");
    } catch (IOException cut) {
      if (!socket.isClosed()) {
        throw new UncheckedIOException(cut);
      }
    }
  }

  /** Says that there are no more lines. */
  public void finish() throws IOException {
    write("0\r\n\r\n");
  }

  private void write(String text) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(text.getBytes(UTF_8));
    out.flush();
  }

  /** The next line of the answer. */
  public JsonNode verdict() throws IOException {
    return ApiClient.JSON.readTree(Objects.requireNonNull(read(), "the answer has ended"));
  }

  /** The rest of the answer, to its proper end. */
  public List<JsonNode> verdicts() throws IOException {
    List<JsonNode> verdicts = new ArrayList<>();
    for (String line = read(); line != null; line = read()) {
      verdicts.add(ApiClient.JSON.readTree(line));
    }
    return verdicts;
  }

  /** A line, which may be spread over chunks; null at the end. */
  private @Nullable String read() throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      if (left == 0) {
        left = Integer.parseInt(head(), 16);
        if (left == 0) {
          return null;
        }
      }
      int c = in.read();
      left--;
      if (left == 0) {
        in.readLine();
      }
      if (c < 0) {
        throw new EOFException("the connection was closed");
      }
      if (c == '\n') {
        return line.toString();
      }
      line.append((char) c);
    }
  }

  private String head() throws IOException {
    String line = in.readLine();
    if (line == null) {
      throw new EOFException("the connection was closed");
    }
    return line;
  }

  /** Closes the connection, whatever is under way. */
  public void cut() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (!socket.isClosed()) {
      cut();
    }
  }
}
