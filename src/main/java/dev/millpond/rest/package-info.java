/**
 * The HTTP API under {@code /v1}: reads requests strictly, answers with the job as it is, and
 * explains each refusal.
 */
@NullMarked
@ApplicationModule(
    allowedDependencies = {"admission", "handler", "lease", "queue", "retention", "job"})
package dev.millpond.rest;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
