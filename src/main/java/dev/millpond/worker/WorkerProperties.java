package dev.millpond.worker;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How much this node works on.
 *
 * @param slots how many jobs run at once on this node; 0 for a node that only accepts
 * @param poll how often the database is asked for work that no hint has told of, 10 ms to 1 min
 * @param grace how long a stopping node lets its jobs finish, up to 1 h
 */
@Validated
@ConfigurationProperties("millpond.worker")
public record WorkerProperties(
    @DefaultValue("64") @Min(0) @Max(10_000) int slots,
    @DefaultValue("PT2S") Duration poll,
    @DefaultValue("PT20S") Duration grace) {

  @AssertTrue(message = "millpond.worker.poll must be from PT0.01S to PT1M")
  boolean isPollInRange() {
    return poll.compareTo(Duration.ofMillis(10)) >= 0 && poll.compareTo(Duration.ofMinutes(1)) <= 0;
  }

  @AssertTrue(message = "millpond.worker.grace must be from PT0S to PT1H")
  boolean isGraceInRange() {
    return !grace.isNegative() && grace.compareTo(Duration.ofHours(1)) <= 0;
  }
}
