package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class JsonTextTest {

  static Stream<byte[]> otherEncodings() {
    byte[] plain = "{\"type\":\"a\"}".getBytes(UTF_8);
    byte[] marked = new byte[plain.length + 3];
    marked[0] = (byte) 0xEF;
    marked[1] = (byte) 0xBB;
    marked[2] = (byte) 0xBF;
    System.arraycopy(plain, 0, marked, 3, plain.length);
    return Stream.of(
        marked,
        "{\"type\":\"a\",\"payload\":\"é\"}".getBytes(ISO_8859_1),
        "{\"type\":\"a\"}".getBytes(UTF_16LE),
        // An overlong slash, an encoded surrogate, and the first half of a character at the end.
        bytes("{\"type\":\"a\",\"payload\":\"", 0xC0, 0xAF),
        bytes("{\"type\":\"a\",\"payload\":\"", 0xED, 0xA0, 0x80),
        bytes("{\"type\":\"a\",\"payload\":\"", 0xC3));
  }

  private static byte[] bytes(String begin, int... end) {
    byte[] all = new byte[begin.length() + end.length];
    System.arraycopy(begin.getBytes(UTF_8), 0, all, 0, begin.length());
    for (int i = 0; i < end.length; i++) {
      all[begin.length() + i] = (byte) end[i];
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("otherEncodings")
  void otherEncodingsAreRefused(byte[] body) {
    assertThatThrownBy(() -> JsonText.requireUtf8(body)).hasMessage("/problems/invalid-request");
  }

  @Test
  void utf8OfAnyLengthPasses() {
    assertThatCode(() -> JsonText.requireUtf8("é😀".repeat(10_000).getBytes(UTF_8)))
        .doesNotThrowAnyException();
  }

  @Test
  void whatIsShownIsWholeAndShort() {
    assertThat(JsonText.shown("plain é😀")).isEqualTo("plain é😀");
    assertThat(JsonText.shown("\u0000\ud800x")).isEqualTo("\ufffd\ufffdx");
    assertThat(JsonText.shown("x".repeat(254) + "😀")).isEqualTo("x".repeat(254) + "\ufffd…");
  }
}
