package dev.millpond.faults;

import java.util.List;

/**
 * How often an invariant was broken, or a figure that is only told.
 *
 * @param target what it may be at most; negative where it is only told
 * @param examples of what broke it, a few
 */
record Count(String name, String what, double value, double target, List<String> examples) {

  boolean isBroken() {
    return target >= 0 && value > target;
  }

  @Override
  public String toString() {
    String number =
        value == Math.rint(value) ? Long.toString((long) value) : "%.1f".formatted(value);
    return "%s %s: %s%s%s"
        .formatted(
            name,
            what,
            number,
            target < 0 ? "" : " (at most %.4g)".formatted(target),
            isBroken() ? " BROKEN " + examples : "");
  }
}
