/**
 * Tells clients that their jobs have finished.
 *
 * <pre>
 * submit              writes whom to tell (callback)
 * the end of the job  makes it due in its own commit, by a trigger of the table finished
 * CallbackLoop        woken by that end, else at each sweep: claims what is due, host by host, under a lease
 * Caller              one call: read the job, POST it, note the attempt, and end or wait for the next
 * </pre>
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"lease", "handler", "queue", "job"})
package dev.millpond.callback;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
