package dev.millpond.retention;

import jakarta.validation.constraints.AssertTrue;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How long the past is kept.
 *
 * @param finished how long a finished job can be read, at least: 1 h to 10 years; it is removed
 *     with the last job that was submitted on its day; a queue may have a time of its own
 * @param audit how long it can be read what operators did: 1 h to 10 years
 */
@Validated
@ConfigurationProperties("millpond.retention")
public record RetentionProperties(
    @DefaultValue("P7D") Duration finished, @DefaultValue("P365D") Duration audit) {

  @AssertTrue(message = "millpond.retention.finished must be from PT1H to P3650D")
  boolean isFinishedInRange() {
    return isInRange(finished);
  }

  @AssertTrue(message = "millpond.retention.audit must be from PT1H to P3650D")
  boolean isAuditInRange() {
    return isInRange(audit);
  }

  private static boolean isInRange(Duration kept) {
    return kept.compareTo(Duration.ofHours(1)) >= 0 && kept.compareTo(Duration.ofDays(3_650)) <= 0;
  }
}
