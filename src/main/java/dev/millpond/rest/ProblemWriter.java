package dev.millpond.rest;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a refusal straight to the response: the one way in which problems leave, for controllers,
 * filters and the web server alike.
 */
public final class ProblemWriter {

  private static final String MEDIA_TYPE = "application/problem+json";
  private static final JsonMapper JSON = JsonMapper.builder().build();

  // Enough for what a client has on its way when the answer reaches it; an endless one is cut off.
  private static final int LINGER_BYTES = 4 * 1024 * 1024;
  private static final Duration LINGER = Duration.ofSeconds(2);

  private ProblemWriter() {}

  /** Writes the refusal, unless an answer is on its way already. */
  public static void write(
      HttpServletRequest request, HttpServletResponse response, ProblemDocument document)
      throws IOException {
    if (response.isCommitted()) {
      return;
    }
    byte[] body = JSON.writeValueAsBytes(document.json());
    response.resetBuffer();
    response.setStatus(document.status());
    document.headers().forEach(response::setHeader);
    response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    response.setContentType(MEDIA_TYPE);
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
    if (document.isClosing()) {
      response.flushBuffer();
      linger(request.getInputStream());
    }
  }

  /** The members as a person reads them. */
  static String readable(Map<String, Object> members) {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(members);
  }

  /**
   * Reads and drops what still comes. A connection closed while its client sends is reset, and a
   * reset can destroy the answer before the client has read it (RFC 9112, section 9.6).
   */
  private static void linger(InputStream input) {
    byte[] dropped = new byte[8 * 1024];
    long end = System.nanoTime() + LINGER.toNanos();
    try {
      int left = LINGER_BYTES;
      int read = 0;
      while (read >= 0 && left > 0 && System.nanoTime() - end < 0) {
        read = input.read(dropped);
        left -= read;
      }
    } catch (IOException _) {
      // The client has gone: there is nobody to wait for.
    }
  }
}
