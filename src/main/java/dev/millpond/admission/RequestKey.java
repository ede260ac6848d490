package dev.millpond.admission;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * A client's {@code Idempotency-Key} (IETF draft-ietf-httpapi-idempotency-key-header) in the scope
 * of its path.
 *
 * @param hash SHA-256 of scope and key
 * @param fingerprint SHA-256 of the request's body
 * @param gaps the places in the request, ascending, whose jobs were refused beforehand
 */
@SuppressWarnings("ArrayRecordComponent") // compared by the database only
public record RequestKey(byte[] hash, byte[] fingerprint, List<Integer> gaps) {

  /**
   * The key of a request.
   *
   * @param scope method and path
   * @param key as the client sent it, without its quotes
   */
  public static RequestKey of(String scope, String key, byte[] body) {
    return new RequestKey(sha256((scope + "\n" + key).getBytes(UTF_8)), sha256(body), List.of());
  }

  /** The same, of a request of which only some jobs are admitted. */
  public RequestKey withGaps(List<Integer> places) {
    return new RequestKey(hash, fingerprint, places);
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
