package dev.millpond.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Targets that hang, drip, redirect, reset or never end: none holds a handler beyond its time. */
@Timeout(10)
class HostileTargetTest {

  private static final Duration TIMEOUT = Duration.ofMillis(300);

  /** What a loaded machine may take beyond the timeout. */
  private static final Duration SLACK = Duration.ofSeconds(2);

  private static HttpRequestHandler handler(Map<String, String> settings, DnsResolver names) {
    Map<String, String> values = new HashMap<>(settings);
    values.putIfAbsent("millpond.http.allow", "127.0.0.0/8");
    HttpProperties properties = AddressGuardTest.settings(values);
    return new HttpRequestHandler(
        new HttpCaller(properties, new AddressGuard(properties, names)), Clock.systemUTC());
  }

  private static HttpRequestHandler handler() {
    return handler(Map.of(), SystemDefaultDnsResolver.INSTANCE);
  }

  private static HttpResult call(HttpRequestHandler handler, String url, Duration timeout)
      throws Exception {
    return handler.handle(
        new HttpRequest("POST", url, Map.of(), null, timeout, "2xx"), new RecordedContext(1));
  }

  private static void assertThatItTimesOut(ThrowingCallable call) {
    long start = System.nanoTime();
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            RetryLater.class, failure -> assertThat(failure.type()).isEqualTo("http-timeout"));
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(TIMEOUT, TIMEOUT.plus(SLACK));
  }

  private static void drip(Socket connection, RawTarget target, String piece) throws Exception {
    while (true) {
      target.send(connection, piece);
      Thread.sleep(20);
    }
  }

  private static void assertThatItTimesOutAndIsLeft(RawTarget.Conduct conduct) throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target = new RawTarget(conduct)) {
      assertThatItTimesOut(() -> call(handler, target.url(), TIMEOUT));
      assertThat(target.left.await(2, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void aTargetThatHangsIsLeftInTime() throws Exception {
    assertThatItTimesOutAndIsLeft((connection, target) -> RawTarget.hang(connection));
  }

  @Test
  void aTargetThatDripsItsStatusIsLeftInTime() throws Exception {
    assertThatItTimesOutAndIsLeft(
        (connection, target) -> {
          target.send(connection, "HTTP/1.1 200 ");
          drip(connection, target, "O");
        });
  }

  @Test
  void aTargetThatDripsInterimAnswersIsLeftInTime() throws Exception {
    assertThatItTimesOutAndIsLeft(
        (connection, target) -> drip(connection, target, "HTTP/1.1 102 Processing\r\n\r\n"));
  }

  @Test
  void aTargetThatDripsItsBodyIsLeftInTime() throws Exception {
    assertThatItTimesOutAndIsLeft(
        (connection, target) -> {
          RawTarget.readHead(connection);
          target.send(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
          drip(connection, target, "1\r\nx\r\n");
        });
  }

  @Test
  void aTargetThatHangsInTheTlsHandshakeIsLeftInTime() throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target = new RawTarget((connection, self) -> RawTarget.hang(connection))) {
      assertThatItTimesOut(() -> call(handler, target.url().replace("http:", "https:"), TIMEOUT));
      assertThat(target.left.await(2, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void aNameThatDoesNotResolveInTimeIsGivenUp() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    DnsResolver slow =
        new DnsResolver() {
          @Override
          public InetAddress[] resolve(String host) throws UnknownHostException {
            boolean over = false;
            while (!over) {
              try {
                never.await();
                over = true;
              } catch (InterruptedException ignored) {
                // As the system's resolver does.
              }
            }
            throw new UnknownHostException(host);
          }

          @Override
          public String resolveCanonicalHostname(String host) {
            return host;
          }
        };
    try (HttpRequestHandler handler = handler(Map.of(), slow)) {
      assertThatItTimesOut(() -> call(handler, "http://slow.example/", TIMEOUT));
    } finally {
      never.countDown();
    }
  }

  @Test
  void waitingForAConnectionCountsAsPartOfTheTimeout() throws Exception {
    try (HttpRequestHandler handler =
            handler(
                Map.of("millpond.http.max-connections-per-host", "1"),
                SystemDefaultDnsResolver.INSTANCE);
        RawTarget target = new RawTarget((connection, self) -> RawTarget.hang(connection))) {
      FutureTask<HttpResult> holder =
          new FutureTask<>(() -> call(handler, target.url(), Duration.ofMinutes(1)));
      Thread thread = Thread.startVirtualThread(holder);
      target.met.await();

      assertThatItTimesOut(() -> call(handler, target.url(), TIMEOUT));
      assertThat(target.connections).hasValue(1);
      thread.interrupt();
      assertThatThrownBy(holder::get).hasCauseInstanceOf(InterruptedException.class);
    }
  }

  @Test
  void aStatusThatIsNoSuccessIsEnoughIfTheBodyDoesNotCome() throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target =
            new RawTarget(
                (connection, self) -> {
                  RawTarget.readHead(connection);
                  self.send(
                      connection,
                      "HTTP/1.1 429 Wait\r\nRetry-After: 9\r\nContent-Length: 9\r\n\r\n");
                  RawTarget.hang(connection);
                })) {
      assertThatThrownBy(() -> call(handler, target.url(), TIMEOUT))
          .isInstanceOfSatisfying(
              RetryLater.class,
              failure -> assertThat(failure.delay()).isEqualTo(Duration.ofSeconds(9)));
    }
  }

  @Test
  void anEndlessAnswerIsCutAndLeft() throws Exception {
    for (String framing : List.of("", "Content-Length: 10000000000\r\n")) {
      try (HttpRequestHandler handler = handler();
          RawTarget target =
              new RawTarget(
                  (connection, self) -> {
                    RawTarget.readHead(connection);
                    self.send(connection, "HTTP/1.1 200 OK\r\n" + framing + "\r\n");
                    byte[] piece = "x".repeat(16 * 1024).getBytes(UTF_8);
                    while (true) {
                      self.send(connection, piece);
                    }
                  })) {
        HttpResult result = call(handler, target.url(), Duration.ofSeconds(5));

        assertThat(result.text()).hasSize(64 * 1024);
        assertThat(result.truncated()).isTrue();
        assertThat(target.left.await(2, TimeUnit.SECONDS)).isTrue();
        // What lay in the buffers of the two sockets may have been sent beside it.
        assertThat(target.sent.get()).isLessThan(16L * 1024 * 1024);
      }
    }
  }

  @Test
  void anAnswerThatStopsAfterTheBoundIsNotWaitedFor() throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target =
            new RawTarget(
                (connection, self) -> {
                  RawTarget.readHead(connection);
                  self.send(connection, "HTTP/1.1 200 OK\r\n\r\n" + "x".repeat(64 * 1024));
                  RawTarget.hang(connection);
                })) {
      assertThat(call(handler, target.url(), Duration.ofMinutes(1)).truncated()).isTrue();
      assertThat(target.left.await(2, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void anAnswerOfJustTheBoundIsWhole() throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target =
            new RawTarget(
                (connection, self) -> {
                  RawTarget.readHead(connection);
                  self.send(
                      connection,
                      "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + "x".repeat(64 * 1024));
                  RawTarget.hang(connection);
                })) {
      assertThat(call(handler, target.url(), Duration.ofMinutes(1)).truncated()).isFalse();
    }
  }

  private static void assertThatItIsRetried(RawTarget.Conduct conduct, String message)
      throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target = new RawTarget(conduct)) {
      assertThatThrownBy(() -> call(handler, target.url(), Duration.ofSeconds(5)))
          .isInstanceOfSatisfying(
              RetryLater.class, failure -> assertThat(failure.type()).isEqualTo("http-connection"))
          .hasMessage(message);
      assertThat(target.connections).hasValue(1);
    }
  }

  @Test
  void brokenConnectionsAndAnswersAreRetried() throws Exception {
    assertThatItIsRetried(
        (connection, target) -> {
          connection.setSoLinger(true, 0);
          RawTarget.readHead(connection);
        },
        "the connection broke, or the answer is not HTTP");
    assertThatItIsRetried(
        (connection, target) -> RawTarget.readHead(connection),
        "the target closed the connection without an answer");
    assertThatItIsRetried(
        (connection, target) -> {
          RawTarget.readHead(connection);
          target.send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
        },
        "the connection broke, or the answer is not HTTP");
    assertThatItIsRetried(
        (connection, target) -> {
          RawTarget.readHead(connection);
          target.send(connection, "HTTP/1.1 200 OK\r\nX: " + "x".repeat(100_000) + "\r\n\r\n");
          RawTarget.hang(connection);
        },
        "the connection broke, or the answer is not HTTP");
  }

  @Test
  void aTargetThatIsNotThereIsRetried() throws Exception {
    String url;
    try (RawTarget closed = new RawTarget((connection, self) -> {})) {
      url = closed.url();
    }
    try (HttpRequestHandler handler = handler()) {
      assertThatThrownBy(() -> call(handler, url, Duration.ofSeconds(5)))
          .isInstanceOf(RetryLater.class)
          .hasMessage("the target does not accept connections");
      assertThatThrownBy(() -> call(handler, "http://nowhere.invalid/", Duration.ofSeconds(5)))
          .isInstanceOf(RetryLater.class);
    }
  }

  @Test
  void anInterruptEndsTheCallAtOnce() throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target = new RawTarget((connection, self) -> RawTarget.hang(connection))) {
      FutureTask<HttpResult> call =
          new FutureTask<>(() -> call(handler, target.url(), Duration.ofHours(1)));
      Thread thread = Thread.startVirtualThread(call);
      target.met.await();
      thread.interrupt();

      assertThatThrownBy(() -> call.get(2, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(target.left.await(2, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void anAddressInsideIsNotEvenConnectedTo() throws Exception {
    try (RawTarget target = new RawTarget((connection, self) -> RawTarget.hang(connection));
        HttpRequestHandler handler =
            new HttpRequestHandler(AddressGuardTest.settings(Map.of()), Clock.systemUTC())) {
      List<String> urls = new ArrayList<>();
      for (String host :
          List.of("127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "[::ffff:7f00:1]")) {
        urls.add(target.url().replace("127.0.0.1", host));
      }
      for (String url : urls) {
        assertThatThrownBy(() -> call(handler, url, Duration.ofSeconds(5)))
            .as(url)
            .isInstanceOfSatisfying(
                PermanentFailure.class,
                failure -> assertThat(failure.type()).isEqualTo("address-refused"));
      }
      assertThat(target.connections).hasValue(0);
    }
  }
}
