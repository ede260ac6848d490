package dev.millpond.handler;

import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The payload of {@code http.request}.
 *
 * @param method {@code POST} by default
 * @param url called as it is: redirects are not followed
 * @param headers added to those that Millpond sends
 * @param body any JSON value, sent as {@code application/json}; a string under a {@code
 *     Content-Type} of another kind is sent as that text. Absent and null are no body
 * @param timeout of the whole call, {@code PT30S} by default
 * @param successStatus the statuses that are a success, comma separated: {@code 204} or a class
 *     such as {@code 2xx}, the default
 */
record HttpRequest(
    @Pattern(
            regexp = "(?!CONNECT$|TRACE$)[A-Z]{1,20}",
            message = "must be a method in upper case, and neither CONNECT nor TRACE")
        String method,
    @NotNull @Size(max = MAX_URL, message = "must have at most 8192 characters") @HttpUrl
        String url,
    @Size(max = 64, message = "must be at most 64 headers")
        Map<
                @HeaderName String,
                @NotNull
                @Pattern(
                    regexp = "[\\t\\x20-\\x7e]{0,8192}",
                    message = "must be at most 8192 printable ASCII characters")
                String>
            headers,
    @Nullable JsonNode body,
    @DurationMin(millis = 100, message = "must be at least PT0.1S")
        @DurationMax(hours = 1, message = "must be at most PT1H")
        Duration timeout,
    @Pattern(
            regexp = STATUS + "(\\s*,\\s*" + STATUS + "){0,31}",
            message = "must list statuses or classes of them, such as \"2xx, 404\"")
        String successStatus) {

  static final int MAX_URL = 8_192;

  private static final String STATUS = "[2-5](xx|[0-9][0-9])";

  HttpRequest {
    method = method == null ? "POST" : method;
    headers = headers == null ? Map.of() : headers;
    timeout = timeout == null ? Duration.ofSeconds(30) : timeout;
    successStatus = successStatus == null ? "2xx" : successStatus;
  }

  URI uri() {
    return uri(url);
  }

  /** A URL in ASCII. */
  static URI uri(String url) {
    return URI.create(URI.create(url).toASCIIString());
  }

  /** Whether an answer with this status is a success. */
  boolean isSuccess(int status) {
    for (String wanted : successStatus.split(",", -1)) {
      String pattern = wanted.strip();
      if (pattern.endsWith("xx")
          ? pattern.charAt(0) - '0' == status / 100
          : Integer.parseInt(pattern) == status) {
        return true;
      }
    }
    return false;
  }
}
