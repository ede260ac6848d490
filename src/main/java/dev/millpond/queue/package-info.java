/**
 * Queues: their names, settings and retry policies, and the events that tell the other rooms what
 * moved in them.
 */
@NullMarked
@ApplicationModule(allowedDependencies = "job")
package dev.millpond.queue;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
