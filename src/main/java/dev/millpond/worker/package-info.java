/**
 * The workers in this process.
 *
 * <pre>
 * WorkerLoop: one turn after another on Spring's scheduler
 *   Wakeup.await      a submit or a freed slot cuts the wait short; else a poll every two seconds
 *   Leases.claim      as many jobs as slots are free, queue by queue in turns
 *   Run               each on a thread of its own: resolve, call, outcome, settle, free the slot
 * Upkeep: renews the leases of all runs, writes progress, times out
 *
 * Stop: not ready -&gt; no more claims -&gt; runs finish until the grace ends -&gt; interrupt
 *       -&gt; give the leases back without counting the attempt -&gt; the web server and the pools close
 * </pre>
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"dependency", "lease", "handler", "queue", "job"})
package dev.millpond.worker;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
