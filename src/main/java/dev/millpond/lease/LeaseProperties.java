package dev.millpond.lease;

import jakarta.validation.constraints.AssertTrue;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How long work stays with a worker that is not heard of.
 *
 * @param duration of a lease, 1 s to 1 h; it is renewed when a third of it is over
 * @param sweep how often expired leases are looked for, 0.1 s up to the duration
 */
@Validated
@ConfigurationProperties("millpond.lease")
public record LeaseProperties(@DefaultValue("PT30S") Duration duration, Duration sweep) {

  @AssertTrue(message = "millpond.lease.duration must be from PT1S to PT1H")
  boolean isDurationInRange() {
    return isBetween(Duration.ofSeconds(1), duration, Duration.ofHours(1));
  }

  @AssertTrue(message = "millpond.lease.sweep must be from PT0.1S to millpond.lease.duration")
  boolean isSweepInRange() {
    return isBetween(Duration.ofMillis(100), sweep, duration);
  }

  private static boolean isBetween(Duration least, Duration value, Duration most) {
    return value.compareTo(least) >= 0 && value.compareTo(most) <= 0;
  }
}
