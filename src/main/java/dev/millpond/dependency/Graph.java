package dev.millpond.dependency;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job among those that it depends on, and those that depend on it.
 *
 * @param nodes the jobs, by their ids
 * @param truncated whether there may be more than are shown; those are shown that are nearest
 */
public record Graph(List<Node> nodes, List<Edge> edges, boolean truncated) {

  /** A job; null in all but its id if it was removed. */
  public record Node(
      UUID id, @Nullable String type, @Nullable String state, @Nullable String queue) {}

  /** That a job waits, or has waited, for its predecessor. */
  public record Edge(UUID predecessor, UUID dependent) {}
}
