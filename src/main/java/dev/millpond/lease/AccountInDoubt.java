package dev.millpond.lease;

import java.util.UUID;

/** A statement that writes to these books was sent, and what came of it is not known. */
public record AccountInDoubt(UUID account) {}
