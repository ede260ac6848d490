package dev.millpond.rest;

import dev.millpond.queue.QueueName;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.servlet.HandlerMapping;

/** Reads the names in a path. */
final class PathParts {

  private static final Pattern UUID_TEXT =
      Pattern.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}");

  private PathParts() {}

  /**
   * The queue in the path; {@code default} if it names none.
   *
   * @throws ProblemException {@code queue-not-found} if it is no queue's name
   */
  static QueueName queue(@Nullable String name) {
    if (name == null) {
      return QueueName.DEFAULT;
    }
    if (!QueueName.isValid(name)) {
      throw new ProblemException(
          Problem.QUEUE_NOT_FOUND, "A queue's name matches " + QueueName.PATTERN + ".");
    }
    return new QueueName(name);
  }

  /**
   * The schedule in the path.
   *
   * @throws ProblemException {@code schedule-not-found} if it is no schedule's name
   */
  static String schedule(String name) {
    if (!QueueName.isValid(name)) {
      throw new ProblemException(
          Problem.SCHEDULE_NOT_FOUND, "A schedule's name matches " + QueueName.PATTERN + ".");
    }
    return name;
  }

  /** The queue that a submit names in its path, if that is a queue's name. */
  static Optional<QueueName> queueOf(HttpServletRequest request) {
    return request.getAttribute(HandlerMapping.URI_TEMPLATE_VARIABLES_ATTRIBUTE)
                instanceof Map<?, ?> parts
            && parts.get("queue") instanceof String name
        ? Optional.of(name).filter(QueueName::isValid).map(QueueName::new)
        : Optional.of(QueueName.DEFAULT);
  }

  /**
   * The job's id in the path.
   *
   * @throws ProblemException {@code job-not-found} if it is no id
   */
  static UUID job(String id) {
    return uuid(id)
        .orElseThrow(() -> new ProblemException(Problem.JOB_NOT_FOUND, "A job's id is a UUID."));
  }

  /** The UUID, if the text is one. */
  static Optional<UUID> uuid(String text) {
    return UUID_TEXT.matcher(text).matches()
        ? Optional.of(UUID.fromString(text))
        : Optional.empty();
  }
}
