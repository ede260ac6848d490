/**
 * What the service survives: faults against packaged nodes and a real PostgreSQL, a history of what
 * clients, handlers' effects and the database saw meanwhile, and a checker that counts in it what
 * the promises forbid.
 */
@NullMarked
package dev.millpond.faults;

import org.jspecify.annotations.NullMarked;
