package dev.millpond.lease;

import java.util.UUID;

/** A running job was asked to cancel: the worker that runs it here should tell its handler now. */
public record CancelRequested(UUID id) {}
