/**
 * Meters that need a query: how old the oldest waiting job of each queue is, and the oldest
 * transaction.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"queue", "job"})
package dev.millpond.telemetry;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
