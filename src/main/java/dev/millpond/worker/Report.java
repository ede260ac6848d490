package dev.millpond.worker;

import dev.millpond.lease.LoggedLine;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a handler has told of its work and is not written yet. The handler adds, the writer takes.
 */
final class Report {

  private static final int MAX_MESSAGE = 255;
  private static final int MAX_LINES = 1_000;
  private static final int MAX_BYTES = 64 * 1024;

  private final Clock clock;

  /** All guarded by this. */
  private @Nullable Progress progress;

  private List<LoggedLine> lines = new ArrayList<>();
  private int lineCount;
  private int byteCount;
  private long lastNumber;

  Report(Clock clock) {
    this.clock = clock;
  }

  record Progress(int percent, String message) {}

  /** What was told since the last time. */
  record Unwritten(@Nullable Progress progress, List<LoggedLine> lines) {}

  synchronized void progress(int percent, String message) {
    progress = new Progress(Math.clamp(percent, 0, 100), clean(message, MAX_MESSAGE));
  }

  synchronized void log(String line) {
    if (lineCount == MAX_LINES) {
      return;
    }
    String cleaned = clean(line, MAX_BYTES);
    byteCount += cleaned.getBytes(StandardCharsets.UTF_8).length;
    boolean last = lineCount == MAX_LINES - 1 || byteCount > MAX_BYTES;
    lineCount = last ? MAX_LINES : lineCount + 1;
    Instant now = clock.instant();
    lastNumber = Math.max(lastNumber + 1, ChronoUnit.MICROS.between(Instant.EPOCH, now));
    lines.add(new LoggedLine(lastNumber, now, last ? "… further lines are dropped" : cleaned));
  }

  synchronized Unwritten take() {
    Unwritten unwritten = new Unwritten(progress, lines);
    progress = null;
    lines = new ArrayList<>();
    return unwritten;
  }

  /** What could not be written is told again; what was told since comes after it. */
  synchronized void putBack(Unwritten unwritten) {
    progress = progress == null ? unwritten.progress() : progress;
    lines.addAll(0, unwritten.lines());
  }

  private static String clean(String text, int longest) {
    // PostgreSQL's text has no NUL, and cutting between surrogates would leave half a character.
    String cleaned = text.replace('\u0000', ' ');
    int end = Math.min(longest, cleaned.length());
    boolean splits = end < cleaned.length() && Character.isHighSurrogate(cleaned.charAt(end - 1));
    return cleaned.substring(0, splits ? end - 1 : end);
  }
}
