/** Meters that need a query: for how long the oldest waiting job of each queue has waited. */
@NullMarked
@ApplicationModule(allowedDependencies = {"queue", "job"})
package dev.millpond.telemetry;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
