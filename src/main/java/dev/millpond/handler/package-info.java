/**
 * What runs when a job is worked on: handlers by type, the context they get, and the handlers that
 * are shipped.
 */
@NullMarked
@ApplicationModule(allowedDependencies = "job")
package dev.millpond.handler;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
