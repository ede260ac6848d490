package dev.millpond.job;

/** A line of a job's log, and where it stands there. */
public record LogEntry(LogPosition position, LogLine line) {}
