/**
 * How jobs come in: the filter that refuses, the permits that decide, and the one writer that makes
 * a submit durable.
 *
 * <pre>
 * AdmissionFilter  by path alone: Permits.refusal, no database, no body
 * Admission        Permits.reserve -&gt; one group commit -&gt; accepted
 *   Room           what this node may still admit; Books has one for each queue and one for all
 *   Flow           how quickly jobs start, and so: WaitingLine, estimates, the cap in time
 *   Shares, Turns  tenants: who gets in when it is crowded, who starts next
 * JobStream        one line after another: Permits.reserveFirst, or it waits in the same line (Moves)
 * Permits.turn     beside the requests: takes permits from the pool of the nodes, and gives back
 * </pre>
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"dependency", "handler", "lease", "queue", "job"})
package dev.millpond.admission;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
