package dev.millpond.rest;

import com.fasterxml.jackson.annotation.JsonRawValue;
import dev.millpond.audit.Audit;
import dev.millpond.audit.AuditLine;
import dev.millpond.queue.QueueName;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** What operators changed, and when. */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class AuditController {

  private final Audit audit;

  AuditController(Audit audit) {
    this.audit = audit;
  }

  /** A line. */
  record Line(
      Instant at,
      String action,
      String queue,
      @Nullable String schedule,
      String client,
      @JsonRawValue String request,
      @JsonRawValue String outcome) {

    private static Line of(AuditLine line) {
      return new Line(
          line.at(),
          line.action(),
          line.queue(),
          line.schedule(),
          line.client(),
          orNull(line.request()),
          orNull(line.outcome()));
    }

    private static String orNull(@Nullable String json) {
      return json == null ? "null" : json;
    }
  }

  /** A page of lines, the newest first. */
  record Page(List<Line> items, @Nullable String nextCursor) {}

  @Answers(Problem.INVALID_CURSOR)
  @ReadsQuery
  @GetMapping("/v1/audit")
  ResponseEntity<Page> list(HttpServletRequest request) {
    ListQuery query = ListQuery.of(request, Cursor.AUDIT, "queue");
    String queue = query.filter("queue").orElse(null);
    if (queue != null && !QueueName.isValid(queue)) {
      throw ListQuery.invalid("queue", "is a queue's name, which matches " + QueueName.PATTERN);
    }
    UUID before = query.after() == null ? null : UUID.fromString(query.after());
    List<AuditLine> lines = audit.list(queue, before, query.limit());
    String next =
        lines.size() < query.limit() ? null : Cursor.AUDIT.encode(lines.getLast().id().toString());
    return NextPage.link(request, next).body(new Page(lines.stream().map(Line::of).toList(), next));
  }
}
