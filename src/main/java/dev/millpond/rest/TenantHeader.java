package dev.millpond.rest;

import dev.millpond.admission.Tenant;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the tenant that a request's header names. */
final class TenantHeader {

  private TenantHeader() {}

  /**
   * The tenant; null if the request has no such header.
   *
   * @throws ProblemException {@code invalid-request}
   */
  static @Nullable String of(HttpServletRequest request) {
    List<String> sent = Collections.list(request.getHeaders(Tenant.HEADER));
    if (sent.isEmpty()) {
      return null;
    }
    if (sent.size() > 1) {
      throw invalid("the header was sent " + sent.size() + " times");
    }
    if (!Tenant.isValid(sent.getFirst())) {
      throw invalid("must match " + Tenant.PATTERN);
    }
    return sent.getFirst();
  }

  private static ProblemException invalid(String why) {
    return new ProblemException(
        ProblemDocument.invalid(List.of(FieldError.header(Tenant.HEADER, why))));
  }
}
