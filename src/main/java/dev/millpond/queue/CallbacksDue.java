package dev.millpond.queue;

/**
 * Jobs of which somebody is to be told may have ended, by what this node did: a hint, and no
 * promise that nobody has told it yet.
 */
public record CallbacksDue() {}
