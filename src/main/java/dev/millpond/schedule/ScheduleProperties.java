package dev.millpond.schedule;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Bounds of schedules.
 *
 * @param max how many there may be
 */
@Validated
@ConfigurationProperties("millpond.schedule")
public record ScheduleProperties(@DefaultValue("10000") @Min(0) @Max(100_000) int max) {}
