package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.CRC32;

/**
 * The place in a list where the next page begins: what the last item is known by, as a token that
 * clients pass on unread. Its checksum tells a token of this list from a made-up, damaged or other
 * one; it is no secret.
 */
public enum Cursor {
  /** By id, newest first. */
  JOBS,
  /** By name. */
  QUEUES,
  /** By id, newest first. */
  AUDIT,
  /** By name. */
  SCHEDULES;

  private static final int CHECKSUM = Integer.BYTES;

  /** The token for a place. */
  public String encode(String last) {
    byte[] place = last.getBytes(UTF_8);
    byte[] token =
        ByteBuffer.allocate(CHECKSUM + place.length).putInt(checksum(place)).put(place).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
  }

  /**
   * The place that a token stands for.
   *
   * @throws ProblemException {@code invalid-cursor}
   */
  public String decode(String token) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(token);
      if (bytes.length > CHECKSUM) {
        byte[] place = Arrays.copyOfRange(bytes, CHECKSUM, bytes.length);
        if (ByteBuffer.wrap(bytes).getInt() == checksum(place)) {
          return new String(place, UTF_8);
        }
      }
    } catch (IllegalArgumentException _) {
      // Not even base64: refused below like any other damage.
    }
    throw new ProblemException(
        Problem.INVALID_CURSOR, "The cursor is damaged, or was not made for this list.");
  }

  private int checksum(byte[] place) {
    CRC32 crc = new CRC32();
    crc.update(name().getBytes(UTF_8));
    crc.update(place);
    return (int) crc.getValue();
  }
}
