package dev.millpond.testing;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** One HTTP exchange by bytes, for requests that no well-behaved client would send. */
public final class RawHttp {

  private static final int READ_TIMEOUT_MILLIS = 5_000;

  private RawHttp() {}

  /**
   * Sends bytes, and reads the answer's head and as much of its body as {@code Content-Length}
   * says.
   *
   * @param request what goes out; more is neither sent nor is the connection closed before the
   *     answer
   */
  public static String exchange(int port, String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(READ_TIMEOUT_MILLIS);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return read(socket.getInputStream());
    }
  }

  private static String read(InputStream in) throws IOException {
    StringBuilder answer = new StringBuilder();
    int end = Integer.MAX_VALUE;
    for (int b = in.read(); b >= 0; b = in.read()) {
      answer.append((char) b);
      if (end == Integer.MAX_VALUE && b == '\n' && answer.indexOf("\r\n\r\n") > 0) {
        end = answer.length() + contentLength(answer.toString());
      }
      if (answer.length() >= end) {
        break;
      }
    }
    return answer.toString();
  }

  private static int contentLength(String head) {
    return head.lines()
        .filter(line -> line.regionMatches(true, 0, "Content-Length:", 0, 15))
        .mapToInt(line -> Integer.parseInt(line.substring(15).strip()))
        .findFirst()
        .orElse(0);
  }

  /** The status code of an answer; 0 if there was none. */
  public static int status(String answer) {
    return answer.startsWith("HTTP/1.1 ") ? Integer.parseInt(answer.substring(9, 12)) : 0;
  }
}
