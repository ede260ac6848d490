package dev.millpond.handler;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/** {@code http.request}: calls a URL, and keeps the start of the answer as the job's result. */
@Component
final class HttpRequestHandler implements JobHandler<HttpRequest>, AutoCloseable {

  /** Of the statuses from 400 to 499, those that another attempt may change. */
  private static final Set<Integer> PASSING = Set.of(408, 425, 429);

  private static final int MAX_EXCERPT = 500;

  private final HttpCaller caller;
  private final Clock clock;

  @Autowired
  HttpRequestHandler(HttpProperties settings, Clock clock) {
    this(
        new HttpCaller(settings, new AddressGuard(settings, SystemDefaultDnsResolver.INSTANCE)),
        clock);
  }

  HttpRequestHandler(HttpCaller caller, Clock clock) {
    this.caller = caller;
    this.clock = clock;
  }

  @Override
  public String type() {
    return "http.request";
  }

  @Override
  public Class<HttpRequest> payloadType() {
    return HttpRequest.class;
  }

  @Override
  public HttpResult handle(HttpRequest payload, JobContext context)
      throws PermanentFailure, RetryLater, InterruptedException {
    HttpAnswer answer = call(payload, context);
    if (!payload.isSuccess(answer.status())) {
      fail(answer);
    }
    return answer.result();
  }

  private HttpAnswer call(HttpRequest payload, JobContext context)
      throws PermanentFailure, RetryLater, InterruptedException {
    try {
      return caller.call(request(payload, context), payload.timeout(), payload::isSuccess);
    } catch (AddressGuard.Refused refused) {
      throw new PermanentFailure("address-refused", "the host is not at a public address");
    } catch (TimeoutException late) {
      throw new RetryLater("http-timeout", "no whole answer within " + payload.timeout());
    } catch (IOException broken) {
      throw new RetryLater("http-connection", describe(broken));
    }
  }

  private static HttpUriRequestBase request(HttpRequest payload, JobContext context) {
    HttpUriRequestBase request = new HttpUriRequestBase(payload.method(), payload.uri());
    payload.headers().forEach(request::setHeader);
    request.setHeader("Millpond-Job-Id", context.id());
    request.setHeader("Millpond-Attempt", context.attempt());
    request.setHeader("Idempotency-Key", "\"" + context.id() + "\"");
    String traceparent = context.traceparent();
    if (traceparent != null) {
      request.setHeader("traceparent", traceparent);
    }
    JsonNode body = payload.body();
    if (body != null && !body.isNull()) {
      write(body, request);
    }
    return request;
  }

  private static void write(JsonNode body, HttpUriRequestBase request) {
    Header header = request.getFirstHeader(HttpHeaders.CONTENT_TYPE);
    ContentType type = header == null ? null : ContentType.parseLenient(header.getValue());
    if (type == null) {
      request.setHeader(HttpHeaders.CONTENT_TYPE, "application/json");
    }
    byte[] content =
        type == null || !body.isString() || isJson(type.getMimeType())
            ? PayloadJson.MAPPER.writeValueAsBytes(body)
            : body.stringValue().getBytes(type.getCharset(StandardCharsets.UTF_8));
    request.setEntity(new ByteArrayEntity(content, null));
  }

  private static boolean isJson(String mediaType) {
    return mediaType.equalsIgnoreCase("application/json") || mediaType.endsWith("+json");
  }

  /** Ends the attempt as the contract says for an answer that is not a success. */
  private void fail(HttpAnswer answer) throws PermanentFailure, RetryLater {
    int status = answer.status();
    String message = "the target answered " + status + excerpt(answer.result());
    if (status / 100 == 3) {
      throw new PermanentFailure("http-redirect", message + "; redirects are not followed");
    } else if (status / 100 == 4 && !PASSING.contains(status)) {
      throw new PermanentFailure("http-status", message);
    }
    Optional<Duration> wait = answer.retryIn(clock.instant());
    if (wait.isPresent()) {
      throw new RetryLater("http-status", message, wait.get());
    }
    throw new RetryLater("http-status", message);
  }

  /** What a person needs to see why the target refused. */
  private static String excerpt(HttpResult result) {
    String text = result.text() == null ? "" : result.text().strip();
    if (text.isEmpty()) {
      return "";
    }
    int end = Math.min(text.length(), MAX_EXCERPT);
    // Never through the middle of a character.
    end -= Character.isHighSurrogate(text.charAt(end - 1)) ? 1 : 0;
    return ": " + text.substring(0, end);
  }

  /** In words of our own, because those of the libraries name classes. */
  private static String describe(IOException failure) {
    return switch (failure) {
      case UnknownHostException unknown -> "the host's name does not resolve";
      case SSLException tls -> "no trusted TLS connection to the target could be made";
      case ConnectException refused -> "the target does not accept connections";
      case NoRouteToHostException away -> "the target cannot be reached";
      case SocketTimeoutException late -> "the target could not be connected to in time";
      case NoHttpResponseException silent -> "the target closed the connection without an answer";
      default -> "the connection broke, or the answer is not HTTP";
    };
  }

  @Override
  public void close() throws IOException {
    caller.close();
  }
}
