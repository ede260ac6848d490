package dev.millpond.handler;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpAnswerTest {

  private static final Instant NOW = Instant.parse("2026-11-24T10:00:00Z");

  private static HttpResult result(@Nullable String contentType, byte[] body) {
    return HttpResult.of(200, contentType, null, body, false);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      textBlock =
          """
          none, 'grün'
          application/json, '{"a": 1}'
          text/plain;charset=utf-8, 'grün'
          text/plain;charset=no-such-charset, 'grün'
          not a media type, 'grün'
          image/svg+xml, '<svg/>'
          none, ''
          """)
  void textIsKeptAsText(@Nullable String contentType, String text) {
    HttpResult result = result(contentType, text.getBytes(UTF_8));

    assertThat(result.text()).isEqualTo(text);
    assertThat(result.base64()).isNull();
    assertThat(result.contentType()).isEqualTo(contentType);
  }

  @Test
  void textIsReadInItsOwnCharset() {
    assertThat(result("text/plain; charset=iso-8859-1", "grün".getBytes(ISO_8859_1)).text())
        .isEqualTo("grün");
  }

  @Test
  void whatIsNotTextIsKeptAsBase64() throws Exception {
    for (byte[] body : new byte[][] {{(byte) 0x89, 'P', 'N', 'G'}, {'a', 0, 'b'}, {'a', 1}}) {
      HttpResult result = result("image/png", body);

      assertThat(result.text()).isNull();
      assertThat(Base64.getDecoder().decode(result.base64())).isEqualTo(body);
    }
    assertThat(Handlers.write(result("image/png", new byte[] {0})))
        .isEqualTo(
            """
            {"status":200,"contentType":"image/png","base64":"AA==","truncated":false}\
            """);
  }

  @Test
  void aCompressedBodyIsNotTakenForText() {
    assertThat(HttpResult.of(200, "text/plain", "gzip", new byte[] {'a'}, false).base64())
        .isEqualTo("YQ==");
  }

  @Test
  void aCutCharacterIsLeftOut() {
    byte[] body = Arrays.copyOf("grün".getBytes(UTF_8), 3);

    assertThat(HttpResult.of(200, null, null, body, true).text()).isEqualTo("gr");
    assertThat(HttpResult.of(200, null, null, body, false).text()).isNull();
  }

  @Test
  void theLargestAnswerFitsIntoAResult() throws Exception {
    for (byte filler : new byte[] {'"', '\n', (byte) 0x85, 1, 'a'}) {
      byte[] body = new byte[HttpAnswer.MAX_BODY];
      Arrays.fill(body, filler);

      assertThat(Handlers.write(result("text/plain; charset=iso-8859-1", body))).isNotNull();
    }
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      textBlock =
          """
          '0', PT0S
          '120', PT2M
          ' 7 ', PT7S
          '86401', P1D
          '99999999999999999999', P1D
          'Tue, 24 Nov 2026 10:00:30 GMT', PT30S
          'Tue, 24 Nov 2026 09:00:00 GMT', PT0S
          'Fri, 24 Nov 2028 10:00:00 GMT', P1D
          '-1', none
          '1.5', none
          'soon', none
          '', none
          """)
  void retryAfterIsSecondsOrADate(String header, @Nullable Duration wait) {
    HttpAnswer answer = new HttpAnswer(result(null, new byte[0]), header, null);

    assertThat(answer.retryIn(NOW).orElse(null)).isEqualTo(wait);
  }

  @Test
  void aDateIsReadByTheTargetsClock() {
    HttpAnswer answer =
        new HttpAnswer(
            result(null, new byte[0]),
            "Tue, 24 Nov 2026 08:00:05 GMT",
            "Tue, 24 Nov 2026 08:00:00 GMT");

    assertThat(answer.retryIn(NOW)).contains(Duration.ofSeconds(5));
  }
}
