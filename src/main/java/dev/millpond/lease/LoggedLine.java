package dev.millpond.lease;

import java.time.Instant;

/**
 * A line of an attempt's log.
 *
 * @param number its place in the job's log: the time in microseconds since 1970, made unique and
 *     rising, since an attempt that was given back is run again under the same number
 */
public record LoggedLine(long number, Instant at, String line) {}
