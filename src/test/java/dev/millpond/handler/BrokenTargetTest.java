package dev.millpond.handler;

import static dev.millpond.handler.HttpCalls.call;
import static dev.millpond.handler.HttpCalls.handler;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Targets that never end, break off, are not there or may not be called. */
@Timeout(30)
class BrokenTargetTest {

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
        HttpResult result = call(handler, target.url(), Duration.ofSeconds(20));

        assertThat(result.text()).hasSize(64 * 1024);
        assertThat(result.truncated()).isTrue();
        assertThat(target.left.await(5, TimeUnit.SECONDS)).isTrue();
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
      assertThat(target.left.await(5, TimeUnit.SECONDS)).isTrue();
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
      assertThatThrownBy(() -> call(handler, target.url(), Duration.ofSeconds(20)))
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
  void anAddressInsideIsNotEvenConnectedTo() throws Exception {
    try (RawTarget target = new RawTarget((connection, self) -> RawTarget.hang(connection));
        HttpRequestHandler handler = HttpCalls.strictHandler()) {
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

  @Test
  void theAddressThatWasCheckedIsTheOneThatIsCalled() throws Exception {
    try (RawTarget target =
            new RawTarget(
                (connection, self) -> {
                  String head = RawTarget.readHead(connection);
                  String host =
                      head.lines().filter(line -> line.startsWith("Host: ")).findAny().get();
                  self.send(
                      connection,
                      "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                          .formatted(host.length(), host));
                });
        // Would fail if it were asked for the name a second time.
        HttpRequestHandler handler =
            handler(Map.of(), new AddressGuardTest.Answers().then("127.0.0.1"))) {
      String url = target.url().replace("127.0.0.1", "rebinding.example");

      assertThat(call(handler, url, Duration.ofSeconds(20)).text())
          .startsWith("Host: rebinding.example:");
    }
  }
}
