/**
 * The log of what operators changed: of queues as a whole, of many jobs at once, and of schedules.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"queue", "job"})
package dev.millpond.audit;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
