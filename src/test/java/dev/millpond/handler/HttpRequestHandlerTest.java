package dev.millpond.handler;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.standardwebhooks.Webhook;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is sent, and what becomes of an answer. */
class HttpRequestHandlerTest {

  /** What a target got. */
  private record Got(String method, String target, Headers headers, String body) {}

  private final Clock clock = Clock.fixed(Instant.parse("2026-11-24T10:00:00Z"), ZoneOffset.UTC);
  private final HttpRequestHandler handler = handler(Map.of());
  private final Handlers handlers = new Handlers(List.of(handler));
  private final AtomicReference<Got> got = new AtomicReference<>();
  private HttpServer target;

  private HttpRequestHandler handler(Map<String, String> more) {
    Map<String, String> values = new HashMap<>(more);
    values.put("millpond.http.allow", "127.0.0.1");
    HttpProperties settings = AddressGuardTest.settings(values);
    return new HttpRequestHandler(settings, HttpCaller.of(settings), clock);
  }

  @BeforeEach
  void start() throws Exception {
    target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.start();
    answer(200, Map.of(), "ok");
  }

  @AfterEach
  void stop() throws Exception {
    target.stop(0);
    handler.close();
  }

  private void answer(int status, Map<String, String> headers, String body) {
    target.createContext(
        "/" + status,
        exchange -> {
          got.set(
              new Got(
                  exchange.getRequestMethod(),
                  exchange.getRequestURI().toString(),
                  exchange.getRequestHeaders(),
                  new String(exchange.getRequestBody().readAllBytes(), ISO_8859_1)));
          headers.forEach(exchange.getResponseHeaders()::add);
          byte[] bytes = body.getBytes(UTF_8);
          boolean bare = bytes.length == 0 || exchange.getRequestMethod().equals("HEAD");
          exchange.sendResponseHeaders(status, bare ? -1 : bytes.length);
          exchange.getResponseBody().write(bytes, 0, bare ? 0 : bytes.length);
          exchange.close();
        });
  }

  private HttpResult call(int status, String fields) throws Exception {
    return call(handler, status, fields);
  }

  private HttpResult call(HttpRequestHandler caller, int status, String fields) throws Exception {
    String payload =
        "{\"url\": \"http://127.0.0.1:%d/%d?q=1\"%s}"
            .formatted(target.getAddress().getPort(), status, fields.replace('\'', '"'));
    assertThat(handlers.check("http.request", payload)).isEmpty();
    return caller.handle(
        (HttpRequest) handlers.read("http.request", payload), new RecordedContext(3));
  }

  private String header(String name) {
    return String.join("|", got.get().headers().getOrDefault(name, List.of()));
  }

  @Test
  void theTargetLearnsWhichJobCalls() throws Exception {
    call(200, ",'headers':{'X-Own':'mine','authorization':'Bearer t'}");

    assertThat(got.get().method()).isEqualTo("POST");
    assertThat(got.get().target()).isEqualTo("/200?q=1");
    assertThat(header("Millpond-Job-Id")).isEqualTo(RecordedContext.ID.toString());
    assertThat(header("Millpond-Attempt")).isEqualTo("3");
    assertThat(header("Idempotency-Key")).isEqualTo("\"" + RecordedContext.ID + "\"");
    assertThat(header("Traceparent")).isEqualTo(RecordedContext.TRACEPARENT);
    assertThat(header("User-Agent")).isEqualTo("Millpond");
    assertThat(header("X-Own")).isEqualTo("mine");
    assertThat(header("Authorization")).isEqualTo("Bearer t");
    assertThat(got.get().headers())
        .doesNotContainKeys("Content-type", "Accept-encoding", "Cookie", "Expect", "Upgrade");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          'body':{'n':1.10,'big':12345678901234567890} | application/json          | {"n":1.10,"big":12345678901234567890}
          'body':'text'                                | application/json          | "text"
          'body':false                                 | application/json          | false
          'body':'text','headers':{'content-type':'text/plain'} | text/plain       | text
          'body':'text','headers':{'Content-Type':'application/vnd.x+json'} | application/vnd.x+json | "text"
          'body':[1],'headers':{'Content-Type':'text/plain'}  | text/plain         | [1]
          'body':'<a/>','headers':{'Content-Type':'application/xml'} | application/xml | <a/>
          """)
  void bodiesAreSentAsTheirContentTypeSays(String fields, String contentType, String body)
      throws Exception {
    call(200, "," + fields);

    assertThat(header("Content-type")).isEqualTo(contentType);
    assertThat(got.get().body()).isEqualTo(body);
  }

  @Test
  void textIsSentInItsOwnCharset() throws Exception {
    call(200, ",'body':'grün','headers':{'Content-Type':'text/plain; charset=iso-8859-1'}");

    assertThat(got.get().body()).isEqualTo("grün");
  }

  @Test
  void withASecretItIsSigned() throws Exception {
    try (HttpRequestHandler signing = handler(Map.of("millpond.http.secrets", SignerTest.SECRET))) {
      call(signing, 200, ",'body':{'n':1},'headers':{'webhook-id':'forged'}");
    }

    assertThat(header("Webhook-id")).isEqualTo(RecordedContext.ID.toString());
    assertThat(header("Webhook-timestamp")).isEqualTo("1795514400");
    String signature =
        new Webhook(SignerTest.SECRET)
            .sign(RecordedContext.ID.toString(), 1_795_514_400, got.get().body());
    assertThat(header("Webhook-signature")).isEqualTo(signature);
    call(200, "");
    assertThat(header("Webhook-signature")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "HEAD", "DELETE", "PUT", "PATCH", "PURGE"})
  void anyMethodIsSent(String method) throws Exception {
    HttpResult result = call(200, ",'method':'%s'".formatted(method));

    assertThat(got.get().method()).isEqualTo(method);
    assertThat(got.get().body()).isEmpty();
    assertThat(result.text()).isEqualTo(method.equals("HEAD") ? "" : "ok");
  }

  @Test
  void theAnswerIsTheResult() throws Exception {
    answer(201, Map.of("Content-Type", "text/plain"), "made");

    assertThat(Handlers.write(call(201, "")))
        .isEqualTo(
            """
            {"status":201,"contentType":"text/plain","text":"made","truncated":false}\
            """);
  }

  @ParameterizedTest
  @CsvSource({
    "301, http-redirect", "302, http-redirect", "304, http-redirect", "308, http-redirect",
    "400, http-status", "401, http-status", "404, http-status", "409, http-status",
    "410, http-status", "422, http-status"
  })
  void whatAnotherAttemptWouldNotChangeIsPermanent(int status, String type) {
    answer(status, Map.of("Location", "/200", "Retry-After", "5"), "");

    assertThatThrownBy(() -> call(status, ""))
        .isInstanceOfSatisfying(
            PermanentFailure.class, failure -> assertThat(failure.type()).isEqualTo(type))
        .hasMessageContaining("the target answered " + status);
    assertThat(got.get().target()).startsWith("/" + status);
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 425, 429, 500, 502, 503, 504, 507})
  void whatMayPassIsRetried(int status) {
    answer(status, Map.of(), "");

    assertThatThrownBy(() -> call(status, ""))
        .isInstanceOfSatisfying(
            RetryLater.class,
            failure -> {
              assertThat(failure.type()).isEqualTo("http-status");
              assertThat(failure.delay()).isNull();
            });
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          429, '7', PT7S
          503, '999999', P1D
          408, '0', PT0S
          500, 'Tue, 24 Nov 2099 10:00:00 GMT', P1D
          """)
  void retryAfterIsObeyed(int status, String retryAfter, Duration delay) {
    answer(status, Map.of("Retry-After", retryAfter), "");

    assertThatThrownBy(() -> call(status, ""))
        .isInstanceOfSatisfying(
            RetryLater.class, failure -> assertThat(failure.delay()).isEqualTo(delay));
  }

  @Test
  void theClientSaysWhatASuccessIs() throws Exception {
    answer(404, Map.of(), "gone");
    answer(302, Map.of("Location", "/200"), "");

    assertThat(call(404, ",'successStatus':'2xx, 404'").text()).isEqualTo("gone");
    assertThat(call(302, ",'successStatus':'3xx'").status()).isEqualTo(302);
    assertThatThrownBy(() -> call(200, ",'successStatus':'204'"))
        .isInstanceOf(RetryLater.class)
        .hasMessage("the target answered 200: ok");
  }

  @Test
  void aFailureTellsTheStartOfTheAnswer() {
    answer(422, Map.of(), "no such customer " + "x".repeat(1_000));

    Throwable failure = catchThrowable(() -> call(422, ""));

    assertThat(failure)
        .isInstanceOf(PermanentFailure.class)
        .hasMessageStartingWith("the target answered 422: no such customer x");
    assertThat(failure.getMessage()).hasSizeLessThan(550);
  }

  @Test
  void aConnectionIsUsedAgain() throws Exception {
    Set<InetSocketAddress> callers = ConcurrentHashMap.newKeySet();
    target.createContext(
        "/202",
        exchange -> {
          callers.add(exchange.getRemoteAddress());
          exchange.sendResponseHeaders(202, -1);
          exchange.close();
        });
    call(202, "");
    call(202, "");

    assertThat(callers).hasSize(1);
  }
}
