package dev.millpond.admission;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How much the service lets in.
 *
 * @param totalCap how many jobs may wait in all queues together
 * @param maxRetryAfter the longest {@code Retry-After} in seconds
 * @param keyRetention how long an {@code Idempotency-Key} is remembered
 */
@Validated
@ConfigurationProperties("millpond.admission")
public record AdmissionProperties(
    @DefaultValue("100000") @Min(0) @Max(100_000_000) int totalCap,
    @DefaultValue("300") @Min(2) @Max(3_600) int maxRetryAfter,
    @DefaultValue("PT24H") Duration keyRetention) {}
