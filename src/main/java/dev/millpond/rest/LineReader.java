package dev.millpond.rest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads a body line by line in constant memory. Lines end with LF or CRLF, the last one perhaps
 * with nothing; blank ones are counted and left out.
 */
final class LineReader {

  private static final int PART = 16 * 1024;

  private final InputStream in;
  private final int longest;
  private final byte[] part = new byte[PART];
  private int next;
  private int end;
  private long number;
  private long bytes;

  /** What has been read of the line at hand. */
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();

  private boolean begun;
  private boolean tooLong;

  /**
   * @param longest a line with more bytes is dropped as it is read
   */
  LineReader(InputStream in, int longest) {
    this.in = in;
    this.longest = longest;
  }

  /**
   * A line.
   *
   * @param number counted from 1
   * @param bytes without its end; null if it was too long
   */
  @SuppressWarnings("ArrayRecordComponent") // read once
  record Line(long number, byte @Nullable [] bytes) {}

  /**
   * The next line that is not blank; null at the end of the body. After a failure it goes on where
   * it was.
   */
  @Nullable Line next() throws IOException {
    while (next < end || fill()) {
      int begin = next;
      while (next < end && part[next] != '\n') {
        next++;
      }
      keep(begin);
      if (next < end) {
        next++;
        Line read = take();
        if (read != null) {
          return read;
        }
      }
    }
    return begun ? take() : null;
  }

  /** How many bytes have come, blank lines and parts of a line included. */
  long bytes() {
    return bytes;
  }

  private boolean fill() throws IOException {
    int read = in.read(part);
    next = 0;
    end = Math.max(0, read);
    bytes += end;
    return read >= 0;
  }

  private void keep(int begin) {
    int length = next - begin;
    begun = begun || length > 0;
    if (tooLong || line.size() + length > longest + 1) { // one more for a CR
      tooLong = true;
      line.reset();
    } else {
      line.write(part, begin, length);
    }
  }

  /** Null if it is blank. */
  private @Nullable Line take() {
    number++;
    byte[] bytes = withoutReturn(line.toByteArray());
    boolean dropped = tooLong || bytes.length > longest;
    line.reset();
    begun = false;
    tooLong = false;
    return dropped ? new Line(number, null) : isBlank(bytes) ? null : new Line(number, bytes);
  }

  private static byte[] withoutReturn(byte[] line) {
    boolean isThere = line.length > 0 && line[line.length - 1] == '\r';
    return isThere ? Arrays.copyOf(line, line.length - 1) : line;
  }

  private static boolean isBlank(byte[] line) {
    for (byte b : line) {
      if (b != ' ' && b != '\t') {
        return false;
      }
    }
    return true;
  }
}
