/**
 * The embedded PostgreSQL and the checks that every PostgreSQL has to pass.
 *
 * <p>The life of the server. Where no {@code spring.datasource.url} is set, {@link
 * dev.millpond.postgres.EmbeddedPostgres} takes the data directory by a file lock that the
 * operating system gives back even after {@code kill -9}. So whoever holds it is alone and may
 * clear up: a server that outlived its service is stopped, half-done work is deleted, then the
 * programs are unpacked and the cluster is made, each under a temporary name until it is whole. The
 * server is detached from the terminal and no child of this process; a watcher looks after it and
 * starts it again in place, on the same port, when it dies. It stops as the last of all beans: the
 * connection details depend on it and the connection pools depend on those, so that everything
 * which uses the database has closed by then. It has no shutdown hook of its own, because that
 * would run beside Spring's and take the database away from jobs that are still finishing.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.millpond.postgres;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
