package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.rest.LineReader.Line;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineReaderTest {

  /** However the body is cut into reads. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 100_000})
  void linesEndWithLfOrCrLfOrTheBody(int read) throws IOException {
    String tooLong = "x".repeat(40_000);
    String body = "one\n\n \t\r\ntwo\r\n12345\r\n123456\n" + tooLong + "\nthr\re\n\r\né";
    assertThat(lines(body, read))
        .containsExactly("1 one", "4 two", "5 12345", "6 null", "7 null", "8 thr\re", "10 é");
  }

  @Test
  void blankLinesAreNoSilence() throws IOException {
    LineReader reader = new LineReader(inParts("\n\n\r\none\n", 1), 5);
    assertThat(reader.bytes()).isZero();
    Line line = reader.next();
    assertThat(line).isNotNull();
    assertThat(reader.bytes()).isEqualTo(8);
  }

  private static List<String> lines(String body, int read) throws IOException {
    LineReader reader = new LineReader(inParts(body, read), 5);
    List<String> lines = new ArrayList<>();
    for (Line line = reader.next(); line != null; line = reader.next()) {
      byte[] bytes = line.bytes();
      lines.add(line.number() + " " + (bytes == null ? null : new String(bytes, UTF_8)));
    }
    return lines;
  }

  private static InputStream inParts(String body, int most) {
    return new ByteArrayInputStream(body.getBytes(UTF_8)) {
      @Override
      public synchronized int read(byte[] to, int offset, int length) {
        return super.read(to, offset, Math.min(length, most));
      }
    };
  }
}
