package dev.millpond.rest;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** What a text must be for PostgreSQL and all JSON readers to see the same in it. */
final class JsonText {

  private static final int LONGEST_SHOWN = 255;

  private JsonText() {}

  /**
   * Checks that a body is UTF-8 without a byte order mark.
   *
   * @throws ProblemException {@code invalid-request} if it is not
   */
  static void requireUtf8(byte[] body) {
    if (body.length >= 3
        && body[0] == (byte) 0xEF
        && body[1] == (byte) 0xBB
        && body[2] == (byte) 0xBF) {
      throw invalid("the body begins with a byte order mark");
    }
    // Bytes of zero are no JSON, and would let the parser take the body for UTF-16 or UTF-32.
    for (byte b : body) {
      if (b == 0) {
        throw invalid("the body holds a byte of zero: it is no JSON in UTF-8");
      }
    }
    if (!isUtf8(body)) {
      throw invalid("the body is not UTF-8");
    }
  }

  private static boolean isUtf8(byte[] body) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer input = ByteBuffer.wrap(body);
    CharBuffer dropped = CharBuffer.allocate(8 * 1024);
    CoderResult result = CoderResult.OVERFLOW;
    while (result.isOverflow()) {
      dropped.clear();
      result = decoder.decode(input, dropped, true);
    }
    return !result.isError();
  }

  /** What is wrong with a text, if anything. */
  static Optional<String> flaw(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        return Optional.of("holds the character U+0000, which cannot be stored");
      }
      if (Character.isSurrogate(c)) {
        if (!isPair(text, i)) {
          return Optional.of("holds half of a surrogate pair, which is no character");
        }
        i++;
      }
    }
    return Optional.empty();
  }

  private static boolean isPair(String text, int i) {
    return Character.isHighSurrogate(text.charAt(i))
        && i + 1 < text.length()
        && Character.isLowSurrogate(text.charAt(i + 1));
  }

  /** The text as it can be shown in an answer: whole characters only, and not endless. */
  static String shown(String text) {
    String cut = text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN) + "…";
    return flaw(cut).isEmpty()
        ? cut
        : cut.codePoints()
            .map(c -> c == 0 || (c >= 0xD800 && c <= 0xDFFF) ? 0xFFFD : c)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
            .toString();
  }

  private static ProblemException invalid(String detail) {
    return new ProblemException(ProblemDocument.invalid(List.of(FieldError.at("", detail))));
  }
}
