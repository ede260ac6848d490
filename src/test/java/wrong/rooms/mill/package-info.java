/** A room that may call no other. */
@ApplicationModule(allowedDependencies = {})
package wrong.rooms.mill;

import org.springframework.modulith.ApplicationModule;
