package dev.millpond.admission;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A client's {@code Idempotency-Key} (IETF draft-ietf-httpapi-idempotency-key-header) in the scope
 * of its path.
 *
 * @param text the key as it was sent
 * @param hash SHA-256 of scope and key
 * @param fingerprint SHA-256 of the request, without its key
 * @param gaps the places in the request, ascending, whose jobs were refused beforehand
 */
@SuppressWarnings("ArrayRecordComponent") // compared by the database only
public record RequestKey(String text, byte[] hash, byte[] fingerprint, List<Integer> gaps) {

  /** The header's name. */
  public static final String HEADER = "Idempotency-Key";

  /** How many characters a key has at most. */
  public static final int LONGEST = 255;

  /**
   * The key of a request.
   *
   * @param scope method and path
   * @param key as the client sent it, without its quotes
   * @param request what must be the same when it is repeated: its body, and what headers add to it
   */
  public static RequestKey of(String scope, String key, byte[]... request) {
    return new RequestKey(
        key, sha256((scope + "\n" + key).getBytes(UTF_8)), sha256(request), List.of());
  }

  /** The same, of a request of which only some jobs are admitted. */
  public RequestKey withGaps(List<Integer> places) {
    return new RequestKey(text, hash, fingerprint, places);
  }

  /** The jobs in their places in the request; null in those of the others. */
  List<@Nullable UUID> spread(List<? extends @Nullable UUID> jobs) {
    List<@Nullable UUID> spread = new ArrayList<>(jobs);
    gaps.forEach(place -> spread.add(place, null));
    return spread;
  }

  private static byte[] sha256(byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (byte[] part : parts) {
        digest.update(part);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
