package dev.millpond.admission;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a job waits for before it may start.
 *
 * @param ref the name by which other jobs of the same request know this one; null for none
 * @param predecessors each once, in the order in which they were named
 * @param runAnyway whether the job is to run if one of them does not succeed, instead of being
 *     cancelled
 */
public record DependsOn(@Nullable String ref, List<Predecessor> predecessors, boolean runAnyway) {

  /** Nothing. */
  public static final DependsOn NOTHING = new DependsOn(null, List.of(), false);

  /** How a predecessor is named. */
  public sealed interface Predecessor {}

  /** A job that was accepted before, by its id. */
  public record Known(UUID id) implements Predecessor {}

  /** A job of the same request, by its ref. */
  public record Ref(String name) implements Predecessor {}
}
