package dev.millpond.queue;

import java.time.Duration;

/** A job waits for a time: this long from now it may start. */
public record JobsDelayed(Duration delay) {}
