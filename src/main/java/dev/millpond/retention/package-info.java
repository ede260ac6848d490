/**
 * How long finished jobs are kept: partitions are made ahead, and dropped a day at a time when
 * nothing in them is needed.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"queue", "job"})
package dev.millpond.retention;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
