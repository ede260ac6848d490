package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What comes back over a connection for bytes that no HTTP client would send.
 *
 * @param head the status line and the headers
 */
record RawHttp(int status, String head, String body) {

  /** Sends the text, then perhaps more, and reads until the server closes or has answered. */
  static RawHttp send(int port, String text, @Nullable Flood more) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      OutputStream out = socket.getOutputStream();
      out.write(text.getBytes(UTF_8));
      out.flush();
      if (more != null) {
        Thread.ofVirtual().start(() -> more.pourInto(out));
      }
      return parse(new String(socket.getInputStream().readAllBytes(), UTF_8));
    }
  }

  /** Sends a request that ends the connection, to localhost. */
  static RawHttp request(int port, String request, String headers, String body) throws IOException {
    String begin = request + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    return send(port, begin + headers + "\r\n" + body, null);
  }

  private static RawHttp parse(String answer) {
    int end = answer.indexOf("\r\n\r\n");
    String head = end < 0 ? answer : answer.substring(0, end);
    String[] first = head.split(" ", 3);
    return new RawHttp(
        first.length < 2 ? 0 : Integer.parseInt(first[1].strip()),
        head,
        end < 0 ? "" : answer.substring(end + 4));
  }

  /** The value of a header. */
  Optional<String> header(String name) {
    String begin = name.toLowerCase(Locale.ROOT) + ": ";
    return head.lines()
        .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(begin))
        .map(line -> line.substring(begin.length()))
        .findFirst();
  }

  /** A part that is sent again and again until the server has had enough. */
  record Flood(String part) {

    void pourInto(OutputStream out) {
      byte[] bytes = part.getBytes(UTF_8);
      try {
        while (true) {
          out.write(bytes);
        }
      } catch (IOException _) {
        // The server has closed the connection.
      }
    }
  }
}
