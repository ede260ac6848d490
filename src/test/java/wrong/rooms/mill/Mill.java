package wrong.rooms.mill;

import wrong.rooms.pond.Pond;

/** Goes through a door that is not there. */
public record Mill(Pond pond) {}
