package dev.millpond.handler;

import dev.millpond.job.DatabaseClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/** {@code http.request}: calls a URL, and keeps the start of the answer as the job's result. */
@Component
final class HttpRequestHandler implements JobHandler<HttpRequest>, AutoCloseable {

  /** Of the statuses from 400 to 499, those that another attempt may change. */
  private static final Set<Integer> PASSING = Set.of(408, 425, 429);

  private final HttpCaller caller;
  private final Signer signer;
  private final InstantSource clock;

  /** Signs by the database's time: a target refuses what seems to be old. */
  @Autowired
  HttpRequestHandler(HttpProperties settings, DatabaseClock clock) {
    this(settings, HttpCaller.of(settings), clock::now);
  }

  HttpRequestHandler(HttpProperties settings, HttpCaller caller, InstantSource clock) {
    this.caller = caller;
    this.signer = new Signer(settings.secrets(), clock);
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
      throw new RetryLater("http-connection", HttpCaller.describe(broken));
    }
  }

  private HttpUriRequestBase request(HttpRequest payload, JobContext context) {
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
    byte[] content = body == null || body.isNull() ? new byte[0] : write(body, request);
    if (signer.signs()) {
      signer.sign(request, context.id().toString(), content);
    }
    return request;
  }

  private static byte[] write(JsonNode body, HttpUriRequestBase request) {
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
    return content;
  }

  private static boolean isJson(String mediaType) {
    return mediaType.equalsIgnoreCase("application/json") || mediaType.endsWith("+json");
  }

  /** Ends the attempt as the contract says for an answer that is not a success. */
  private void fail(HttpAnswer answer) throws PermanentFailure, RetryLater {
    int status = answer.status();
    String message = "the target answered " + status + answer.result().excerpt();
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

  @Override
  public void close() throws IOException {
    caller.close();
  }
}
