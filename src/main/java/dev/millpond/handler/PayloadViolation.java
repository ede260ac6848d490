package dev.millpond.handler;

/**
 * Why a payload is not what its handler reads.
 *
 * @param pointer where in the payload (JSON Pointer, RFC 6901): {@code /url}; empty for the payload
 *     itself
 * @param detail what is wrong there, for a person, to be read after the pointer: "must be a string"
 */
public record PayloadViolation(String pointer, String detail) {}
