package dev.millpond.rest;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.UUID;
import java.util.zip.CRC32;

/**
 * The place in a list where the next page begins: the id of the last item, as a token that clients
 * pass on unread. Its checksum tells a token of ours from a made-up or damaged one; it is no
 * secret.
 */
public final class Cursor {

  private static final byte VERSION = 1;
  private static final int SIZE = 1 + 2 * Long.BYTES + Integer.BYTES;

  private Cursor() {}

  /** The token for a place. */
  public static String encode(UUID last) {
    byte[] token = new byte[SIZE];
    ByteBuffer.wrap(token)
        .put(VERSION)
        .putLong(last.getMostSignificantBits())
        .putLong(last.getLeastSignificantBits());
    ByteBuffer.wrap(token).putInt(SIZE - Integer.BYTES, checksum(token));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
  }

  /**
   * The place that a token stands for.
   *
   * @throws ProblemException {@code invalid-cursor}
   */
  public static UUID decode(String token) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(token);
      if (bytes.length == SIZE) {
        ByteBuffer parts = ByteBuffer.wrap(bytes);
        boolean known = parts.get() == VERSION;
        UUID last = new UUID(parts.getLong(), parts.getLong());
        if (known && parts.getInt() == checksum(bytes)) {
          return last;
        }
      }
    } catch (IllegalArgumentException _) {
      // Not even base64: refused below like any other damage.
    }
    throw new ProblemException(
        Problem.INVALID_CURSOR, "The cursor is damaged, or was not made by this service.");
  }

  private static int checksum(byte[] token) {
    CRC32 crc = new CRC32();
    crc.update(token, 0, SIZE - Integer.BYTES);
    return (int) crc.getValue();
  }
}
