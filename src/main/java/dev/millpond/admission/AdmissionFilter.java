package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Sends submits to a full queue away: by path, method and key alone, before the body is read and
 * without the database, so that a refusal costs next to nothing however deep the queue is.
 */
@Component
class AdmissionFilter extends OncePerRequestFilter {

  private static final Pattern SUBMIT =
      Pattern.compile("/v1/(?:jobs|queues/(?<queue>" + QueueName.PATTERN + ")/jobs(?:/batch)?)");

  private final Permits permits;
  private final HandlerExceptionResolver problems;

  AdmissionFilter(
      Permits permits, @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    this.permits = permits;
    this.problems = problems;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    Optional<Refusal> refusal =
        queue(request).flatMap(queue -> permits.refusal(queue, client(request)));
    if (refusal.isPresent()) {
      problems.resolveException(request, response, null, new QueueFull(refusal.get()));
    } else {
      chain.doFilter(request, response);
    }
  }

  /** What a client is known by when it comes back: the key of its request, without its quotes. */
  private static @Nullable String client(HttpServletRequest request) {
    String key = request.getHeader(RequestKey.HEADER);
    if (key == null) {
      return null;
    }
    boolean quoted = key.length() > 1 && key.startsWith("\"") && key.endsWith("\"");
    String text = quoted ? key.substring(1, key.length() - 1) : key;
    // A longer one is not valid, and would take memory.
    return text.length() > RequestKey.LONGEST ? null : text;
  }

  /** A stream waits for room instead. */
  private static boolean isStream(HttpServletRequest request) {
    String type = request.getContentType();
    return type != null
        && type.regionMatches(true, 0, JobStream.MEDIA_TYPE, 0, JobStream.MEDIA_TYPE.length());
  }

  private static Optional<QueueName> queue(HttpServletRequest request) {
    Matcher path = SUBMIT.matcher(request.getRequestURI());
    if (!request.getMethod().equals("POST") || !path.matches() || isStream(request)) {
      return Optional.empty();
    }
    String queue = path.group("queue");
    return Optional.of(queue == null ? QueueName.DEFAULT : new QueueName(queue));
  }
}
