package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millpond.audit.Audit;
import dev.millpond.queue.QueueName;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Does what an operator asks for, between the two halves of its line in the audit log. */
@Component
final class Audited {

  private static final JsonMapper JSON = JsonMapper.shared();

  private final Audit audit;
  private final Problems problems;

  Audited(Audit audit, Problems problems) {
    this.audit = audit;
    this.problems = problems;
  }

  /** Does it to a queue or its jobs. */
  <T> T change(
      String action,
      QueueName queue,
      HttpServletRequest request,
      byte @Nullable [] body,
      Supplier<T> change,
      Function<T, Object> outcome) {
    return change(action, queue, null, request, body, change, outcome);
  }

  /**
   * Does it.
   *
   * @param action the word for it in the log
   * @param schedule the schedule, if it is that which is changed; null for the queue or its jobs
   * @param body the request's; null for none
   * @param change what is done
   * @param outcome what the log should say of its result
   */
  <T> T change(
      String action,
      QueueName queue,
      @Nullable String schedule,
      HttpServletRequest request,
      byte @Nullable [] body,
      Supplier<T> change,
      Function<T, Object> outcome) {
    UUID line =
        audit.begin(
            action,
            queue,
            schedule,
            request.getRemoteAddr(),
            body == null ? null : new String(body, UTF_8));
    try {
      T result = change.get();
      audit.end(line, JSON.writeValueAsString(outcome.apply(result)));
      return result;
    } catch (RuntimeException failure) {
      audit.end(
          line, JSON.writeValueAsString(Map.of("failed", problems.of(failure, request).type())));
      throw failure;
    }
  }
}
