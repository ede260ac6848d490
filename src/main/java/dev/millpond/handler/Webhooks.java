package dev.millpond.handler;

import dev.millpond.job.DatabaseClock;
import dev.millpond.job.JobError;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Tells clients at their URLs what has happened, by Standard Webhooks: signed, if there is a
 * secret, through the same address filter as {@code http.request}, and over connections of its own,
 * so that neither waits for the other.
 */
@Component
public final class Webhooks implements AutoCloseable {

  private static final int GONE = 410;

  private final HttpCaller caller;
  private final Signer signer;
  private final InstantSource clock;

  /** Signs by the database's time: a target refuses what seems to be old. */
  @Autowired
  Webhooks(HttpProperties settings, DatabaseClock clock) {
    this(settings, HttpCaller.of(settings), clock::now);
  }

  Webhooks(HttpProperties settings, HttpCaller caller, InstantSource clock) {
    this.caller = caller;
    this.signer = new Signer(settings.secrets(), clock);
    this.clock = clock;
  }

  /**
   * What came of a call.
   *
   * @param status the target's answer; null if there was none
   * @param error null if the target has taken it, which any 2xx says
   * @param permanent whether another call would be useless: the target is gone (410), or at an
   *     address that may not be called. All else may be mended by those who run it, redirects too
   * @param retryIn the wait before the next call that the target asked for, at most a day; null if
   *     it did not
   */
  public record Answer(
      @Nullable Integer status,
      @Nullable JobError error,
      boolean permanent,
      @Nullable Duration retryIn) {}

  /** What is wrong with a URL that is to be called; empty if nothing is. */
  public static Optional<String> flaw(String url) {
    return url.codePointCount(0, url.length()) > HttpRequest.MAX_URL
        ? Optional.of("must have at most " + HttpRequest.MAX_URL + " characters")
        : Optional.ofNullable(HttpUrl.Rule.problem(url));
  }

  /**
   * POSTs JSON. At most 64 KiB of the answer are read.
   *
   * @param id of what is told, the same at each attempt; without a full stop
   * @param timeout for all of it
   * @throws InterruptedException if interrupted: whether the target has taken it is unknown
   */
  public Answer post(
      String url, String id, byte[] json, Map<String, String> headers, Duration timeout)
      throws InterruptedException {
    HttpUriRequestBase request = new HttpUriRequestBase("POST", HttpRequest.uri(url));
    headers.forEach(request::setHeader);
    request.setHeader(HttpHeaders.CONTENT_TYPE, "application/json");
    request.setEntity(new ByteArrayEntity(json, null));
    signer.sign(request, id, json);
    try {
      return answer(caller.call(request, timeout, Webhooks::isTaken));
    } catch (AddressGuard.Refused refused) {
      return failed("address-refused", "the host is not at a public address", true);
    } catch (TimeoutException late) {
      return failed("http-timeout", "no whole answer within " + timeout, false);
    } catch (IOException broken) {
      return failed("http-connection", HttpCaller.describe(broken), false);
    }
  }

  private static boolean isTaken(int status) {
    return status / 100 == 2;
  }

  private Answer answer(HttpAnswer answer) {
    int status = answer.status();
    if (isTaken(status)) {
      return new Answer(status, null, false, null);
    }
    String message = "the target answered " + status + answer.result().excerpt();
    return new Answer(
        status,
        new JobError("http-status", message),
        status == GONE,
        answer.retryIn(clock.instant()).orElse(null));
  }

  private static Answer failed(String type, String message, boolean permanent) {
    return new Answer(null, new JobError(type, message), permanent, null);
  }

  @Override
  public void close() throws IOException {
    caller.close();
  }
}
