package dev.millpond.admission;

import java.util.OptionalDouble;

/**
 * How full a queue is, for producers to see before they are refused.
 *
 * @param cap how many jobs may wait in it
 * @param depth how many do
 * @param room how many more it takes now; at least 0
 * @param drainRate starts a second while jobs waited; empty if unknown
 */
public record Pressure(int cap, int depth, int room, OptionalDouble drainRate) {}
