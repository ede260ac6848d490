package dev.millpond.lease;

import java.time.Instant;

/**
 * A line of an attempt's log.
 *
 * @param number its place in the attempt's log, from 1
 */
public record LoggedLine(int number, Instant at, String line) {}
