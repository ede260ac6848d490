package dev.millpond.job;

import java.util.UUID;

/** A change of a job was committed on this node while other nodes watch jobs. */
public record JobChanged(UUID id) {}
