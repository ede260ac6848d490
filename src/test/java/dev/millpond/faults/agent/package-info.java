/** What is loaded into a service to break it from inside: the product has no switch for that. */
@NullMarked
package dev.millpond.faults.agent;

import org.jspecify.annotations.NullMarked;
