package dev.millpond.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.core5.http.Header;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signatures, as the receivers of Standard Webhooks check them. */
class SignerTest {

  static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  static final String NEXT = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDbuS/sd1Xuz8=";

  private static Map<String, List<String>> signed(
      List<String> secrets, Instant now, String id, String body) {
    HttpPost request = new HttpPost("http://target.example/");
    new Signer(secrets, InstantSource.fixed(now)).sign(request, id, body.getBytes(UTF_8));
    return Arrays.stream(request.getHeaders())
        .collect(Collectors.toMap(Header::getName, header -> List.of(header.getValue())));
  }

  @Test
  void theSignatureIsThatOfThePublishedExample() {
    assertThat(
            signed(
                List.of(SECRET),
                Instant.ofEpochSecond(1_614_265_330),
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "{\"test\": 2432232314}"))
        .containsOnly(
            Map.entry("webhook-id", List.of("msg_p5jXN8AQM9LWM0D4loKWxJek")),
            Map.entry("webhook-timestamp", List.of("1614265330")),
            Map.entry(
                "webhook-signature", List.of("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")));
  }

  @Test
  void theirOwnLibraryTakesItWithTheOldSecretAndWithTheNew() throws Exception {
    String body = "{\"n\":\"é\"}";
    Map<String, List<String>> headers = signed(List.of(NEXT, SECRET), Instant.now(), "id-7", body);
    for (String secret : List.of(SECRET, NEXT)) {
      assertThatCode(() -> new Webhook(secret).verify(body, headers)).doesNotThrowAnyException();
    }
    assertThatThrownBy(() -> new Webhook(SECRET).verify(body + " ", headers))
        .isInstanceOf(WebhookVerificationException.class);
  }

  @Test
  void withoutASecretNothingIsSigned() {
    assertThat(signed(List.of(), Instant.EPOCH, "id-7", "{}"))
        .containsOnlyKeys("webhook-id", "webhook-timestamp");
  }

  @ParameterizedTest
  @CsvSource({
    SECRET + ", true",
    NEXT + ", true",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, false",
    "whsec_, false",
    "whsec_c2hvcnQ=, false",
    "whsec_not base64 at all, false",
    "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, false"
  })
  void aSecretIsOfTheLengthThatTheSpecificationAsksFor(String text, boolean is) {
    assertThat(Signer.isSecret(text)).isEqualTo(is);
  }
}
