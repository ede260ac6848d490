package dev.millpond.handler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.hc.core5.http.HttpRequest;

/**
 * Signs requests as Standard Webhooks 1.0.0 says, symmetrically: HMAC-SHA256 over id, time and
 * body, once with each secret, so that those who know only the old or the new one can check it.
 */
final class Signer {

  static final String ID = "webhook-id";
  static final String TIMESTAMP = "webhook-timestamp";
  static final String SIGNATURE = "webhook-signature";

  private static final String PREFIX = "whsec_";
  private static final String ALGORITHM = "HmacSHA256";
  private static final int MIN_BYTES = 24;
  private static final int MAX_BYTES = 64;

  private final List<SecretKeySpec> keys;
  private final InstantSource clock;

  /**
   * @param secrets as in the settings, all well-formed
   * @param clock by which targets see that a request is not an old one sent again
   */
  Signer(List<String> secrets, InstantSource clock) {
    this.keys = secrets.stream().map(Signer::key).toList();
    this.clock = clock;
  }

  private static SecretKeySpec key(String secret) {
    return new SecretKeySpec(
        Base64.getDecoder().decode(secret.substring(PREFIX.length())), ALGORITHM);
  }

  /** Whether it is {@code whsec_} and the Base64 of as many bytes as the specification asks for. */
  static boolean isSecret(String text) {
    try {
      int bytes = text.startsWith(PREFIX) ? key(text).getEncoded().length : 0;
      return bytes >= MIN_BYTES && bytes <= MAX_BYTES;
    } catch (IllegalArgumentException notBase64) {
      return false;
    }
  }

  /** Whether there is a secret to sign with. */
  boolean signs() {
    return !keys.isEmpty();
  }

  /**
   * Gives the request its id and the time, and the signatures over them and the body if there is a
   * secret.
   *
   * @param id the same whenever the same is sent; without a full stop
   */
  void sign(HttpRequest request, String id, byte[] body) {
    String time = Long.toString(clock.instant().getEpochSecond());
    request.setHeader(ID, id);
    request.setHeader(TIMESTAMP, time);
    if (signs()) {
      String head = id + "." + time + ".";
      request.setHeader(
          SIGNATURE,
          keys.stream()
              .map(key -> "v1," + Base64.getEncoder().encodeToString(mac(key, head, body)))
              .collect(Collectors.joining(" ")));
    }
  }

  private static byte[] mac(SecretKeySpec key, String head, byte[] body) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(head.getBytes(UTF_8));
      return mac.doFinal(body);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
