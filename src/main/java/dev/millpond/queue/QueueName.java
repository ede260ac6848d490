package dev.millpond.queue;

import java.util.regex.Pattern;

/**
 * The name of a queue: {@code [a-z0-9][a-z0-9._-]{0,62}}.
 *
 * @param value the name as it stands in the path
 */
public record QueueName(String value) implements Comparable<QueueName> {

  /** What a queue's name and a job's type look like. */
  public static final String PATTERN = "[a-z0-9][a-z0-9._-]{0,62}";

  // Before the first name is made.
  private static final Pattern VALID = Pattern.compile(PATTERN);

  /** The queue of {@code POST /v1/jobs}. */
  public static final QueueName DEFAULT = new QueueName("default");

  /**
   * @throws IllegalArgumentException if the name does not match {@link #PATTERN}
   */
  public QueueName {
    if (!VALID.matcher(value).matches()) {
      throw new IllegalArgumentException("a queue's name matches " + PATTERN);
    }
  }

  /** Whether the text is a queue's name. */
  public static boolean isValid(String value) {
    return VALID.matcher(value).matches();
  }

  @Override
  public int compareTo(QueueName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
