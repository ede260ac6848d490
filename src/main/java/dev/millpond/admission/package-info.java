/**
 * How jobs come in: the filter that refuses, the depth that decides, and the one writer that makes
 * a submit durable.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"handler", "lease", "queue", "job"})
package dev.millpond.admission;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
