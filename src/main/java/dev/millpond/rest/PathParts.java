package dev.millpond.rest;

import dev.millpond.queue.QueueName;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

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
   * The job's id in the path.
   *
   * @throws ProblemException {@code job-not-found} if it is no id
   */
  static UUID job(String id) {
    if (!UUID_TEXT.matcher(id).matches()) {
      throw new ProblemException(Problem.JOB_NOT_FOUND, "A job's id is a UUID.");
    }
    return UUID.fromString(id);
  }
}
