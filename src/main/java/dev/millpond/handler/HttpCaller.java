package dev.millpond.handler;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntPredicate;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.io.Closer;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Calls a target once, and gives up in time whatever it does: redirects, cookies, proxies, retries
 * and decompression are off. It is on Apache's client itself, because Spring's clients read an
 * answer to its end when they close it, and an answer here may have none.
 */
final class HttpCaller implements AutoCloseable {

  private static final int MAX_HEADERS = 200;
  private static final int MAX_HEADER_LINE = 16 * 1024;

  /** Many servers close an idle connection after 5 s; a call on it would fail for nothing. */
  private static final TimeValue IDLE = TimeValue.ofSeconds(4);

  /** The least idle time after which a connection is looked at before it is used. */
  private static final TimeValue TRUSTED = TimeValue.ofMilliseconds(100);

  /** The client's own limit lies beyond the timeout, so that one of them ends a call always. */
  private static final Duration BEYOND = Duration.ofSeconds(5);

  private final CloseableHttpClient client;

  /**
   * @param guard resolves names, and refuses those that may not be called
   */
  HttpCaller(HttpProperties settings, DnsResolver guard) {
    client =
        HttpClientBuilder.create()
            .setConnectionManager(connections(settings, guard))
            .setUserAgent("Millpond")
            .disableRedirectHandling()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableAutomaticRetries()
            .disableContentCompression()
            .evictIdleConnections(IDLE)
            .build();
  }

  /** One that resolves names as the system does, and calls what the settings let it. */
  static HttpCaller of(HttpProperties settings) {
    return new HttpCaller(settings, new AddressGuard(settings, SystemDefaultDnsResolver.INSTANCE));
  }

  private static PoolingHttpClientConnectionManager connections(
      HttpProperties settings, DnsResolver guard) {
    Http1Config limits =
        Http1Config.custom()
            .setMaxHeaderCount(MAX_HEADERS)
            .setMaxLineLength(MAX_HEADER_LINE)
            .build();
    return PoolingHttpClientConnectionManagerBuilder.create()
        .setConnectionFactory(
            ManagedHttpClientConnectionFactory.builder().http1Config(limits).build())
        .setDnsResolver(guard)
        .setPoolConcurrencyPolicy(PoolConcurrencyPolicy.STRICT)
        .setMaxConnTotal(settings.maxConnections())
        .setMaxConnPerRoute(settings.maxConnectionsPerHost())
        .setDefaultConnectionConfig(
            ConnectionConfig.custom()
                .setConnectTimeout(Timeout.of(settings.connectTimeout()))
                .setValidateAfterInactivity(TRUSTED)
                .build())
        .build();
  }

  /**
   * Sends the request and reads the answer. Waiting for a connection, resolving the name,
   * connecting, sending and reading all count as part of the timeout.
   *
   * @param success which statuses are awaited; of an answer with another one the status is enough,
   *     if its body does not come
   * @throws TimeoutException if there is no whole answer in time
   * @throws InterruptedException if interrupted; the request is aborted
   * @throws IOException if the call failed; {@link AddressGuard.Refused} if it may not be made
   */
  HttpAnswer call(HttpUriRequestBase request, Duration timeout, IntPredicate success)
      throws IOException, InterruptedException, TimeoutException {
    request.setConfig(
        RequestConfig.custom()
            .setConnectionRequestTimeout(Timeout.of(timeout.plus(BEYOND)))
            .setProtocolUpgradeEnabled(false)
            .build());
    Exchange exchange = new Exchange(request);
    FutureTask<HttpAnswer> answer = new FutureTask<>(exchange);
    // On a thread of its own, because a name is resolved without regard to interrupts and timeouts.
    Thread thread = Thread.ofVirtual().name("http-request").start(answer);
    try {
      return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException | TimeoutException failure) {
      HttpAnswer head = exchange.head;
      if (head != null && !success.test(head.status())) {
        return head;
      }
      if (failure instanceof TimeoutException late) {
        throw late;
      }
      throw cause((ExecutionException) failure);
    } finally {
      request.abort();
      thread.interrupt();
    }
  }

  private static IOException cause(ExecutionException failure) {
    return switch (failure.getCause()) {
      case IOException known -> known;
      case RuntimeException bug -> throw bug;
      case Error fatal -> throw fatal;
      case null, default -> new IOException(failure);
    };
  }

  /** What failed, in words of our own, because those of the libraries name classes. */
  static String describe(IOException failure) {
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
    client.close();
  }

  /** One request and its answer. */
  private final class Exchange implements Callable<HttpAnswer> {

    private final HttpUriRequestBase request;

    /** Written by the exchange's thread, read by the caller's when the body does not come. */
    private volatile @Nullable HttpAnswer head;

    Exchange(HttpUriRequestBase request) {
      this.request = request;
    }

    @Override
    public HttpAnswer call() throws IOException {
      ClassicHttpResponse response = client.executeOpen(null, request, null);
      try {
        head = HttpAnswer.head(response);
        return HttpAnswer.read(response);
      } finally {
        // Cuts the connection unless the body was read to its end: closing alone would read on.
        request.abort();
        Closer.closeQuietly(response);
      }
    }
  }
}
