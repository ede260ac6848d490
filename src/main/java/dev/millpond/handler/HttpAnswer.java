package dev.millpond.handler;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.jspecify.annotations.Nullable;

/**
 * What a target answered.
 *
 * @param result what a job keeps of it
 * @param retryAfter the header, if the target sent it
 * @param date the header, if the target sent it
 */
record HttpAnswer(HttpResult result, @Nullable String retryAfter, @Nullable String date) {

  /** How much of a body is read, in bytes. */
  static final int MAX_BODY = 64 * 1024;

  /** The status and headers alone. */
  static HttpAnswer head(ClassicHttpResponse response) {
    return of(response, new byte[0], false);
  }

  /** The status and the start of the body; what is beyond it is not read. */
  static HttpAnswer read(ClassicHttpResponse response) throws IOException {
    HttpEntity entity = response.getEntity();
    InputStream content = entity == null ? InputStream.nullInputStream() : entity.getContent();
    byte[] body = content.readNBytes(MAX_BODY);
    // No look beyond the bound: a target that sends nothing more, and does not end, would hold it.
    return of(response, body, body.length == MAX_BODY && entity.getContentLength() != MAX_BODY);
  }

  private static HttpAnswer of(ClassicHttpResponse response, byte[] body, boolean truncated) {
    return new HttpAnswer(
        HttpResult.of(
            response.getCode(),
            header(response, HttpHeaders.CONTENT_TYPE),
            header(response, HttpHeaders.CONTENT_ENCODING),
            body,
            truncated),
        header(response, HttpHeaders.RETRY_AFTER),
        header(response, HttpHeaders.DATE));
  }

  private static @Nullable String header(ClassicHttpResponse response, String name) {
    Header header = response.getFirstHeader(name);
    return header == null ? null : header.getValue();
  }

  int status() {
    return result.status();
  }

  /**
   * The wait that the target asks for. A date is read by the target's own clock where it tells it.
   */
  Optional<Duration> retryIn(Instant now) {
    if (retryAfter == null) {
      return Optional.empty();
    }
    Instant sentAt = date == null ? now : RetryAfter.date(date).orElse(now);
    return RetryAfter.parse(retryAfter, sentAt);
  }
}
