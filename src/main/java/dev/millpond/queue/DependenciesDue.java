package dev.millpond.queue;

/**
 * Jobs that others wait for may have ended, by what this node did: a hint, and no promise that
 * nobody has told those who wait yet.
 */
public record DependenciesDue() {}
