package dev.millpond.queue;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What holds for a queue that has no setting of its own.
 *
 * @param cap how many jobs may wait in a queue
 * @param max how many queues there may be
 * @param autoCreate whether a submit to an unknown queue creates it
 */
@Validated
@ConfigurationProperties("millpond.queue")
public record QueueProperties(
    @DefaultValue("10000") @Min(0) @Max(10_000_000) int cap,
    @DefaultValue("10000") @Min(1) @Max(100_000) int max,
    @DefaultValue("true") boolean autoCreate) {}
