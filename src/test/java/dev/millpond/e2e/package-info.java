/**
 * The packaged service as its users meet it: a process that speaks HTTP, and that can die at any
 * moment.
 */
@NullMarked
package dev.millpond.e2e;

import org.jspecify.annotations.NullMarked;
