package dev.millpond.rest;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.http.ResponseEntity.BodyBuilder;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;

/** The way from one page of a list to the next. */
final class NextPage {

  private NextPage() {}

  /**
   * An answer with a {@code Link} (RFC 8288) to the same request with the next cursor.
   *
   * @param cursor null on the last page
   */
  static BodyBuilder link(HttpServletRequest request, @Nullable String cursor) {
    BodyBuilder answer = ResponseEntity.ok();
    if (cursor != null) {
      String next =
          ServletUriComponentsBuilder.fromRequest(request)
              .scheme(null)
              .host(null)
              .port(null)
              .replaceQueryParam("cursor", cursor)
              .build()
              .toUriString();
      answer.header(HttpHeaders.LINK, "<" + next + ">; rel=\"next\"");
    }
    return answer;
  }
}
