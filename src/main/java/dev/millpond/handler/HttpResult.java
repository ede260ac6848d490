package dev.millpond.handler;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.hc.core5.http.ContentType;
import org.jspecify.annotations.Nullable;

/**
 * The result of {@code http.request}: what the target answered.
 *
 * @param contentType as the target named it, if it did
 * @param contentEncoding the compression that the target chose by itself, if it did
 * @param text the body, if it is text
 * @param base64 the body, if it is not text
 * @param truncated whether the body here may be only the start of the target's
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record HttpResult(
    int status,
    @Nullable String contentType,
    @Nullable String contentEncoding,
    @Nullable String text,
    @Nullable String base64,
    boolean truncated) {

  private static final int MAX_EXCERPT = 500;

  static HttpResult of(
      int status,
      @Nullable String contentType,
      @Nullable String contentEncoding,
      byte[] body,
      boolean truncated) {
    String text = contentEncoding == null ? text(body, charset(contentType), truncated) : null;
    String base64 = text == null ? Base64.getEncoder().encodeToString(body) : null;
    return new HttpResult(status, contentType, contentEncoding, text, base64, truncated);
  }

  /** What a person needs to see why the target refused: the start of the text, if it is one. */
  String excerpt() {
    String start = text == null ? "" : text.strip();
    if (start.isEmpty()) {
      return "";
    }
    int end = Math.min(start.length(), MAX_EXCERPT);
    // Never through the middle of a character.
    end -= Character.isHighSurrogate(start.charAt(end - 1)) ? 1 : 0;
    return ": " + start.substring(0, end);
  }

  private static Charset charset(@Nullable String contentType) {
    ContentType type = ContentType.parseLenient(contentType);
    Charset named = type == null ? null : type.getCharset();
    return named == null ? StandardCharsets.UTF_8 : named;
  }

  /**
   * The body's text, or null where it has none; a character that the cut went through is left out.
   */
  private static @Nullable String text(byte[] body, Charset charset, boolean truncated) {
    CharBuffer text =
        CharBuffer.allocate((int) (body.length * charset.newDecoder().maxCharsPerByte()) + 1);
    CoderResult end = charset.newDecoder().decode(ByteBuffer.wrap(body), text, !truncated);
    String decoded = text.flip().toString();
    return end.isError() || decoded.chars().anyMatch(HttpResult::isBinary) ? null : decoded;
  }

  /** Control characters that no text holds; in JSON each would be six characters. */
  private static boolean isBinary(int character) {
    return character < ' ' && "\t\n\r\f\b".indexOf(character) < 0;
  }
}
