/**
 * Who works on what: claims, fencing tokens, renewal, settlement and expiry. Workers in the process
 * and workers over HTTP pass the same fence here.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"queue", "job"})
package dev.millpond.lease;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
