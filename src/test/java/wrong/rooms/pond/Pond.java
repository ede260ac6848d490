package wrong.rooms.pond;

/** Another room's word. */
public record Pond() {}
