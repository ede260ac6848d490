/**
 * Jobs that wait for others to end.
 *
 * <pre>
 * submit              holds the predecessors that have not ended, looks at the others, writes what is waited for (Dependencies)
 * the end of a job    is made known in its own commit, if somebody waits for it, by a trigger of the table finished
 * DependencyLoop      woken by that end, else at each sweep: tells those who wait, which start, wait on, or are cancelled
 * </pre>
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"lease", "queue", "job"})
package dev.millpond.dependency;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
