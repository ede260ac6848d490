package dev.millpond.job;

import java.time.Instant;

/** One line that a handler logged during an attempt. */
public record LogLine(int attempt, Instant at, String line) {}
