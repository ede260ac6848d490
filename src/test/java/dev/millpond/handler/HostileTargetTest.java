package dev.millpond.handler;

import static dev.millpond.handler.HttpCalls.call;
import static dev.millpond.handler.HttpCalls.handler;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
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

/** Targets that hang or drip, at any stage of a call: none holds a handler beyond its time. */
@Timeout(30)
class HostileTargetTest {

  private static final Duration TIMEOUT = Duration.ofMillis(300);

  /** What a loaded machine may take beyond the timeout. */
  private static final Duration SLACK = Duration.ofSeconds(5);

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
      assertThat(target.left.await(5, TimeUnit.SECONDS)).isTrue();
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
      assertThat(target.left.await(5, TimeUnit.SECONDS)).isTrue();
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
  void anInterruptEndsTheCallAtOnce() throws Exception {
    try (HttpRequestHandler handler = handler();
        RawTarget target = new RawTarget((connection, self) -> RawTarget.hang(connection))) {
      FutureTask<HttpResult> call =
          new FutureTask<>(() -> call(handler, target.url(), Duration.ofHours(1)));
      Thread thread = Thread.startVirtualThread(call);
      target.met.await();
      thread.interrupt();

      assertThatThrownBy(() -> call.get(5, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(target.left.await(5, TimeUnit.SECONDS)).isTrue();
    }
  }
}
