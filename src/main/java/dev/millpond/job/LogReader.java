package dev.millpond.job;

import java.util.UUID;

/** Somebody who has read a job's log up to some line. */
record LogReader(UUID id, LogPosition after) {}
