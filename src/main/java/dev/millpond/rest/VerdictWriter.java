package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes what became of each line of a stream, one JSON object a line. Who reads only at the end
 * asks for failures alone: so few that they wait in the buffers of the connection until then.
 */
final class VerdictWriter {

  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int MAX_FAILURES = 1_000;

  private final OutputStream out;
  private final boolean failuresOnly;
  private long accepted;
  private long rejected;

  VerdictWriter(OutputStream out, boolean failuresOnly) {
    this.out = out;
    this.failuresOnly = failuresOnly;
  }

  /**
   * The line is a job.
   *
   * @param status 200 if that was there already
   */
  void accepted(long line, int status, UUID id) throws IOException {
    accepted++;
    if (!failuresOnly) {
      String verdict = "{\"line\":" + line + ",\"status\":" + status + ",\"id\":\"" + id + "\"}\n";
      out.write(verdict.getBytes(UTF_8));
    }
  }

  void rejected(long line, ProblemDocument problem) throws IOException {
    rejected++;
    if (!failuresOnly || rejected <= MAX_FAILURES) {
      Map<String, Object> verdict = new LinkedHashMap<>();
      verdict.put("line", line);
      verdict.put("status", problem.status());
      verdict.put("problem", problem.json());
      write(verdict);
    }
  }

  /** Lines wait for room in the queue. */
  void waiting() throws IOException {
    write(Map.of("waiting", true));
    flush();
  }

  /**
   * Nothing follows.
   *
   * @param problem why the rest of the lines was not read; null if all were
   */
  void end(@Nullable ProblemDocument problem) throws IOException {
    Map<String, Object> last = new LinkedHashMap<>();
    if (failuresOnly) {
      last.put("accepted", accepted);
      last.put("rejected", rejected);
    }
    if (problem != null) {
      last.put("problem", problem.json());
    }
    if (!last.isEmpty()) {
      write(last);
    }
    out.close();
  }

  private void write(Map<String, Object> line) throws IOException {
    out.write(JSON.writeValueAsBytes(line));
    out.write('\n');
  }

  void flush() throws IOException {
    out.flush();
  }
}
