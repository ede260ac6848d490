package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.admission.Decision;
import dev.millpond.admission.Refusal;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RefusalsTest {

  private static ProblemDocument document(Decision.Refused refused) {
    return Refusals.of(refused, new Problems());
  }

  private static Refusal refusal(int depth, OptionalDouble rate, @Nullable String reason) {
    return new Refusal(
        new QueueName("invoices"), depth, 100, rate, Duration.ofMillis(2_400), reason);
  }

  @Test
  void aFullQueueTellsItsRateAndWhatHoldsTheRoomIfTheyAreKnown() {
    ProblemDocument known =
        document(new Decision.Full(refusal(100, OptionalDouble.of(1.234), "scheduled")));
    assertThat(known.type()).isEqualTo("/problems/queue-full");
    assertThat(known.status()).isEqualTo(503);
    assertThat(known.headers()).isEqualTo(Map.of("Retry-After", "3"));
    assertThat(known.extensions())
        .isEqualTo(
            Map.of(
                "queue",
                "invoices",
                "depth",
                100,
                "cap",
                100,
                "drainRatePerSecond",
                1.23,
                "reason",
                "scheduled",
                "retryAfterMs",
                2_400L,
                "violated-policies",
                List.of("depth")));
    assertThat(document(new Decision.Full(refusal(100, OptionalDouble.empty(), null))).extensions())
        .containsOnlyKeys("queue", "depth", "cap", "retryAfterMs", "violated-policies");
  }

  @Test
  void aDeadlineThatALaterTryCouldMeetSaysWhen() {
    ProblemDocument later =
        document(
            new Decision.DeadlineUnreachable(Duration.ofSeconds(90), Duration.ofMillis(44_001)));
    assertThat(later.type()).isEqualTo("/problems/deadline-unreachable");
    assertThat(later.status()).isEqualTo(503);
    assertThat(later.headers()).isEqualTo(Map.of("Retry-After", "45"));
    assertThat(later.extensions())
        .isEqualTo(Map.of("estimatedWaitMs", 90_000L, "retryAfterMs", 44_001L));
    assertThat(later.json()).containsEntry("status", 503);
  }

  @Test
  void aDeadlineThatNoTryCouldMeetIsNotToldToWait() {
    ProblemDocument never =
        document(new Decision.DeadlineUnreachable(Duration.ofMillis(90_500), null));
    assertThat(never.type()).isEqualTo("/problems/deadline-unreachable");
    assertThat(never.status()).isEqualTo(422);
    assertThat(never.headers()).isEmpty();
    assertThat(never.extensions()).isEqualTo(Map.of("estimatedWaitMs", 90_500L));
    assertThat(never.json()).containsEntry("status", 422);
  }

  @Test
  void aTenantOverItsShareIsToldBothPolicies() {
    ProblemDocument over =
        document(
            new Decision.TenantOverShare(refusal(92, OptionalDouble.of(8), null), "acme", 61, 50));
    assertThat(over.type()).isEqualTo("/problems/tenant-over-share");
    assertThat(over.status()).isEqualTo(429);
    assertThat(over.headers())
        .isEqualTo(
            Map.of(
                "Retry-After", "3",
                "RateLimit-Policy", "\"depth\";q=100;qu=\"jobs\", \"tenant\";q=50;qu=\"jobs\"",
                "RateLimit", "\"depth\";r=8;t=12, \"tenant\";r=0"));
    assertThat(over.extensions())
        .isEqualTo(
            Map.of(
                "tenant",
                "acme",
                "tenantDepth",
                61,
                "share",
                50,
                "queue",
                "invoices",
                "depth",
                92,
                "cap",
                100,
                "retryAfterMs",
                2_400L,
                "violated-policies",
                List.of("tenant")));
  }

  @Test
  void ofATenantOverItsShareThereIsNeverLessThanNoRoom() {
    ProblemDocument over =
        document(
            new Decision.TenantOverShare(
                refusal(101, OptionalDouble.empty(), null), "acme", 61, 50));
    assertThat(over.headers()).containsEntry("RateLimit", "\"depth\";r=0, \"tenant\";r=0");
  }
}
