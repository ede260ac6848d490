package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;

/** The edges of the API on a real Tomcat, over plain sockets. */
@OnTomcat
class EdgesIT {

  @LocalServerPort private int port;
  @Autowired private ServerProperties server;
  @Autowired private EdgeApp.Echo echo;

  @Test
  void onlyThisMachineIsListenedToByDefault() {
    assertThat(server.getAddress()).isEqualTo(InetAddress.getLoopbackAddress());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "GET /nowhere | 404 | not-found",
        "POST /nowhere | 404 | not-found",
        "GET /v1/nowhere | 404 | not-found",
        "GET /error | 404 | not-found",
        "GET /problems/nothing | 404 | not-found",
        "GET /actuator/nothing | 404 | not-found",
        "DELETE /v1/echo | 405 | method-not-allowed",
        "GET /v1/echo | 405 | method-not-allowed",
        "TRACE /v1/echo | 405 | method-not-allowed",
        "GET /v1/jobs/7?number=1 | 400 | invalid-request",
        "GET /v1/jobs/0193d5a0-0000-7000-8000-000000000000 | 400 | invalid-request",
        "GET /v1/jobs/0193d5a0-0000-7000-8000-000000000000?number=x | 400 | invalid-request",
        "GET /v1/fail/connect | 503 | database-unavailable",
        "GET /v1/fail/busy | 503 | overloaded",
        "POST /v1/fail/busy | 503 | overloaded",
        "GET /v1/fail/away | 503 | database-unavailable",
        "GET /v1/fail/broken | 503 | database-unavailable",
        "GET /v1/fail/endless | 503 | database-unavailable",
        "POST /v1/fail/endless | 503 | outcome-unknown",
        "GET /v1/fail/timeout | 503 | database-unavailable",
        "POST /v1/fail/connect | 503 | database-unavailable",
        "POST /v1/fail/timeout | 503 | database-unavailable",
        "POST /v1/fail/broken | 503 | outcome-unknown",
        "GET /v1/fail/rollback | 503 | database-unavailable",
        "POST /v1/fail/rollback | 503 | outcome-unknown",
        "GET /v1/fail/bug | 500 | internal-error",
        "POST /v1/echo | 415 | unsupported-media-type",
        "PUT /v1/settings | 400 | invalid-request",
      })
  void whateverFailsIsAProblemDocument(String request, int status, String slug) throws IOException {
    RawHttp answer = send(request, "");
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.header("Content-Type")).contains("application/problem+json");
    assertThat(answer.body())
        .contains("\"type\":\"/problems/" + slug + "\"", "\"status\":" + status)
        .doesNotContain("secret", "Exception", "springframework", "java.");
    if (status == 503) {
      assertThat(answer.header("Retry-After"))
          .hasValueSatisfying(seconds -> assertThat(Integer.parseInt(seconds)).isBetween(2, 10));
    }
  }

  @Test
  void refusalsNameWhatWouldBeRight() throws IOException {
    assertThat(send("DELETE /v1/echo", "").header("Allow")).contains("POST");
    assertThat(send("POST /v1/echo", "").header("Accept")).contains("application/json");
    assertThat(
            send("PUT /v1/settings", "Content-Type: text/plain\r\nContent-Length: 1\r\n", "x")
                .status())
        .isEqualTo(415);
    assertThat(send("GET /v1/jobs/x?number=1", "").body()).contains("\"parameter\":\"id\"");
  }

  @Test
  void aProblemIsGivenToThoseWhoAcceptSomethingElse() throws IOException {
    assertThat(send("GET /nowhere", "Accept: text/html\r\n").body())
        .contains("/problems/not-found");
    assertThat(
            send(
                    "GET /v1/jobs/0193d5a0-0000-7000-8000-000000000000?number=1",
                    "Accept: image/png\r\n")
                .body())
        .contains("/problems/not-acceptable");
  }

  @Test
  void headHasTheHeadersAndNoBody() throws IOException {
    RawHttp answer = send("HEAD /nowhere", "");
    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.header("Content-Type")).contains("application/problem+json");
    assertThat(answer.body()).isEmpty();
    assertThat(send("HEAD /problems", "").status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /a\u0001b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a|b{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a%2Fb HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        "GET /x HTTP/3.9\r\nHost: localhost\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzipped\r\n\r\n",
        "nonsense\r\n\r\n",
      })
  void whatTomcatRefusesIsAProblemDocumentToo(String request) throws IOException {
    RawHttp answer = RawHttp.send(port, request, null);
    assertThat(answer.status()).isBetween(400, 505);
    assertThat(answer.header("Content-Type")).contains("application/problem+json");
    assertThat(answer.body()).startsWith("{\"type\":\"").doesNotContain("<", "Exception", "Tomcat");
  }

  @Test
  void tooLongHeadersAreRefused() throws IOException {
    RawHttp answer = send("GET /x", "X-Long: " + "x".repeat(20_000) + "\r\n");
    assertThat(answer.status()).isBetween(400, 431);
    assertThat(answer.header("Content-Type")).contains("application/problem+json");
  }

  @ParameterizedTest
  @CsvSource({
    "evil.example, '', 421",
    "evil.example:8080, '', 421",
    "localhost, '', 200",
    "127.0.0.1:9, '', 200",
    "[::1], '', 200",
    "queue.example, '', 200",
    "localhost, null, 403",
    "localhost, http://evil.example, 403",
    "localhost, http://localhost:3000, 403",
    "localhost, http://localhost, 200",
    "queue.example, https://queue.example, 200",
  })
  void onlyItsOwnPagesReachTheService(String host, String origin, int status) throws IOException {
    for (String path : new String[] {"/problems", "/actuator/info", "/swagger-ui/index.html"}) {
      RawHttp answer =
          RawHttp.send(
              port,
              "GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n"
                  .formatted(path, host, origin.isEmpty() ? "" : "Origin: " + origin + "\r\n"),
              null);
      assertThat(answer.status()).as(path).isEqualTo(status);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/actuator/health, 200",
    "/actuator/health/liveness, 200",
    "/actuator/healthy, 421",
    "/actuator/health/../../problems, 421",
    "/actuator/health/..;/../problems, 421",
  })
  void anOrchestratorReachesTheProbesByAnyName(String path, int status) throws IOException {
    RawHttp answer =
        RawHttp.send(
            port,
            "GET %s HTTP/1.1\r\nHost: 10.1.2.3:8080\r\nConnection: close\r\n\r\n".formatted(path),
            null);
    assertThat(answer.status()).isEqualTo(status);
  }

  @Test
  void aBodyToTheLimitIsTaken() throws IOException {
    assertThat(sendBody("POST /v1/echo", "x".repeat(RequestBodies.SINGLE)).body())
        .isEqualTo("{\"bytes\":524288}");
    String chunked =
        "Content-Type: application/json; charset=UTF-8\r\nTransfer-Encoding: chunked\r\n";
    assertThat(send("POST /v1/echo", chunked, "3\r\nabc\r\n0\r\n\r\n").body())
        .contains("\"bytes\":3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Content-Type: application/json | 200",
        "Content-Type: application/json; charset=utf-8 | 200",
        "Content-Type: application/json; charset=latin1 | 415",
        "Content-Type: application/jsonl | 415",
        "Content-Type: application/*+json | 415",
        "Content-Type: text/plain | 415",
        "Content-Type: nonsense | 415",
        "Content-Encoding: gzip & Content-Type: application/json | 415",
        "Content-Encoding: identity & Content-Type: application/json | 200",
      })
  void onlyPlainJsonIsRead(String headers, int status) throws IOException {
    RawHttp answer =
        send("POST /v1/echo", headers.replace(" & ", "\r\n") + "\r\nContent-Length: 2\r\n", "{}");
    assertThat(answer.status()).isEqualTo(status);
  }

  @Test
  void aBrokenBodyIsRefused() throws IOException {
    String chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    RawHttp answer = send("POST /v1/echo", chunked, "zz\r\nabc\r\n0\r\n\r\n");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.body()).contains("/problems/invalid-request");
  }

  @Test
  void aLongerBodyIsRefusedAtItsLengthAndTheConnectionClosed() throws IOException {
    String headers = "Content-Type: application/json\r\nContent-Length: 99999999\r\n";
    RawHttp answer =
        RawHttp.send(
            port,
            "POST /v1/echo HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n",
            new RawHttp.Flood("x".repeat(8_192)));
    assertTooLarge(answer);
  }

  @Test
  void anEndlessBodyIsRefusedAtTheLimitAndTheConnectionClosed() throws IOException {
    String headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    RawHttp answer =
        RawHttp.send(
            port,
            "POST /v1/echo HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n",
            new RawHttp.Flood("2000\r\n" + "x".repeat(8_192) + "\r\n"));
    assertTooLarge(answer);
  }

  private static void assertTooLarge(RawHttp answer) {
    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.header("Connection")).contains("close");
    assertThat(answer.body()).contains("/problems/payload-too-large", "\"limit\":524288");
  }

  @Test
  void aClientThatWaitsForContinueIsNotAskedForARefusedBody() throws IOException {
    String headers = "Content-Type: text/plain\r\nContent-Length: 10\r\nExpect: 100-continue\r\n";
    RawHttp answer = send("POST /v1/echo", headers);
    assertThat(answer.status()).isEqualTo(415);
  }

  @Test
  @Timeout(60)
  void aClientThatGoesAwayBeforeItsAnswerIsNobodysMistake() throws Exception {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    root.addAppender(lines);
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
      client
          .getOutputStream()
          .write("GET /v1/unwanted HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));
      echo.hangUpOnceMet(client);
      echo.awaitTheEnd();
    } finally {
      root.detachAppender(lines);
    }
    assertThat(List.copyOf(lines.list))
        .filteredOn(line -> line.getLevel().isGreaterOrEqual(Level.WARN))
        .isEmpty();
  }

  /**
   * After some statuses, 400 and 503 among them, Tomcat closes the connection whatever was read,
   * and has no setting for it; it says so, and drains what is unread first, so that the answer
   * arrives.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POST /nowhere | 404 | true",
        "PUT /v1/echo | 405 | true",
        "POST /v1/echo | 415 | true",
        "POST /v1/fail/bug | 500 | false",
        "POST /v1/fail/connect | 503 | false",
        "PUT /v1/settings | 400 | false",
      })
  void aBodyOfARefusedRequestIsDrainedAndTheConnectionKeptWhereTomcatLetsIt(
      String request, int status, boolean kept) throws IOException {
    String body = "x".repeat(200 * 1024);
    String type = request.contains("settings") ? "application/json" : "text/plain";
    String first =
        "%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(request, type, body.length(), body);
    String second = "GET /problems HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    RawHttp answer = RawHttp.send(port, kept ? first + second : first, null);
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.header("Connection").filter("close"::equals).isPresent()).isEqualTo(!kept);
    assertThat(answer.body().contains("HTTP/1.1 200")).isEqualTo(kept);
  }

  private RawHttp send(String request, String headers) throws IOException {
    return send(request, headers, "");
  }

  private RawHttp sendBody(String request, String body) throws IOException {
    String headers = "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n";
    return send(request, headers, body);
  }

  private RawHttp send(String request, String headers, String body) throws IOException {
    return RawHttp.request(port, request, headers, body);
  }
}
