/**
 * What a job is: its id, its states and the changes between them, its attempts, how it is read and
 * waited for. This room calls no other; all others speak its words.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.millpond.job;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
