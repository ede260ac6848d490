package dev.millpond.job;

/** Somebody watches jobs on this node, and other nodes should tell of their changes. */
public record JobsWatched() {}
