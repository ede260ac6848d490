package dev.millpond.rest;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;

/**
 * Reads the body of a request as bytes, never more than a limit: a larger one is refused at its
 * {@code Content-Length}, or where it passes the limit if it does not say how long it is.
 */
public final class RequestBodies {

  /** The largest body of a single request: a payload of 256 KiB, and as much again around it. */
  public static final int SINGLE = 512 * 1024;

  /** The largest body of a batch. */
  public static final int BATCH = 16 * 1024 * 1024;

  private static final int PART = 8 * 1024;

  private RequestBodies() {}

  /**
   * The body, which must be {@code application/json} and not compressed.
   *
   * @throws ProblemException {@code unsupported-media-type}, {@code payload-too-large} or {@code
   *     overloaded}; the latter two close the connection
   */
  public static byte[] read(HttpServletRequest request, int limit) throws IOException {
    if (!is(MediaType.APPLICATION_JSON, request.getContentType())) {
      throw new ProblemException(Problems.unsupported(MediaType.APPLICATION_JSON_VALUE));
    }
    requireNoCoding(request);
    long length = request.getContentLengthLong();
    if (length > limit) {
      throw tooLarge(limit);
    }
    return read(request, Math.clamp(length, 0, PART), limit);
  }

  /**
   * Refuses a body where one would be taken for a bound on what is done.
   *
   * @throws ProblemException {@code invalid-request}
   */
  static void requireNone(HttpServletRequest request, String why) {
    if (request.getContentLengthLong() > 0
        || request.getHeader(HttpHeaders.TRANSFER_ENCODING) != null) {
      throw new ProblemException(
          ProblemDocument.invalid(
              List.of(FieldError.at("", "no body may be there: this request " + why))));
    }
  }

  // What is announced takes no room yet: whoever announces much and sends nothing costs nothing.
  private static byte[] read(HttpServletRequest request, int size, int limit) throws IOException {
    InputStream input = request.getInputStream();
    ByteArrayOutputStream body = new ByteArrayOutputStream(size);
    byte[] part = new byte[size == 0 ? PART : size];
    for (int read = input.read(part); read >= 0; read = input.read(part)) {
      if (body.size() + read > limit) {
        throw tooLarge(limit);
      }
      BodyRoom.take(request, read);
      body.write(part, 0, read);
    }
    return body.toByteArray();
  }

  // A compressed body could become a thousand times larger than any limit on what was sent.
  static void requireNoCoding(HttpServletRequest request) {
    String coding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
    if (coding != null && !coding.equalsIgnoreCase("identity")) {
      throw new ProblemException(
          ProblemDocument.of(Problem.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed.")
              .header(HttpHeaders.ACCEPT_ENCODING, "identity"));
    }
  }

  /** Whether the content is of a media type, in UTF-8. */
  static boolean is(MediaType wanted, @Nullable String contentType) {
    if (contentType == null) {
      return false;
    }
    try {
      MediaType type = MediaType.parseMediaType(contentType);
      return type.equalsTypeAndSubtype(wanted)
          && (type.getCharset() == null || type.getCharset().equals(StandardCharsets.UTF_8));
    } catch (InvalidMediaTypeException _) {
      return false;
    }
  }

  private static ProblemException tooLarge(int limit) {
    return new ProblemException(
        ProblemDocument.of(Problem.PAYLOAD_TOO_LARGE, "The body has more than " + limit + " bytes.")
            .with("limit", limit)
            .closing());
  }
}
