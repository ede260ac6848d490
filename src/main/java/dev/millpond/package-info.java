/**
 * A REST job queue on PostgreSQL. Each package below is one room; arrows between them go one way.
 */
@NullMarked
package dev.millpond;

import org.jspecify.annotations.NullMarked;
