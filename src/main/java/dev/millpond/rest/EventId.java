package dev.millpond.rest;

import dev.millpond.job.LogPosition;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The id of an event: what its reader has seen when it has seen that one. It begins with the job's
 * version, as its entity tag has it, and goes on with the last line of the log, if there was one.
 *
 * @param version 0 before the first
 */
record EventId(int version, LogPosition position) {

  static final String HEADER = "Last-Event-ID";

  private static final EventId NONE = new EventId(0, LogPosition.START);
  private static final Pattern TEXT =
      Pattern.compile("(?<version>[0-9]{1,9})(?:-(?<attempt>[0-9]{1,9})-(?<number>[0-9]{1,18}))?");

  /**
   * What the client has seen before; nothing if it does not say.
   *
   * @throws ProblemException {@code invalid-request} for what is no id of an event
   */
  static EventId last(HttpServletRequest request) {
    return Optional.ofNullable(request.getHeader(HEADER)).map(EventId::parse).orElse(NONE);
  }

  static EventId parse(String text) {
    Matcher id = TEXT.matcher(text);
    if (!id.matches()) {
      throw new ProblemException(
          ProblemDocument.invalid(
              List.of(FieldError.header(HEADER, "must be the id of an event of this job"))));
    }
    return new EventId(
        Integer.parseInt(id.group("version")),
        id.group("attempt") == null
            ? LogPosition.START
            : new LogPosition(
                Integer.parseInt(id.group("attempt")), Long.parseLong(id.group("number"))));
  }

  @Override
  public String toString() {
    return position.equals(LogPosition.START)
        ? Integer.toString(version)
        : version + "-" + position.attempt() + "-" + position.number();
  }
}
