package dev.millpond.dependency;

import dev.millpond.dependency.Graph.Edge;
import dev.millpond.dependency.Graph.Node;
import dev.millpond.dependency.GraphSql.Found;
import dev.millpond.job.Predecessor;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;

/** Which jobs depend on which. */
@Component
public final class Dependencies {

  /** How many jobs a graph shows in each direction, itself included. */
  private static final int MOST_NODES = 1_000;

  private static final int MOST_EDGES = 10_000;

  /** Results of 256 KiB each, read together. */
  private static final int PAGE = 50;

  private final DependencySql sql;
  private final GraphSql graphs;

  Dependencies(DependencySql sql, GraphSql graphs) {
    this.sql = sql;
    this.graphs = graphs;
  }

  /**
   * Holds jobs as they stand until the caller's transaction ends.
   *
   * @return empty if one of them moved on meanwhile: the transaction is to begin anew
   */
  public Optional<Held> hold(Collection<UUID> ids) {
    return sql.hold(ids);
  }

  /** Writes what jobs depend on, in the caller's transaction, which holds their predecessors. */
  public void link(List<Link> links) {
    sql.link(links);
  }

  /** The job among those that it depends on, and those that depend on it. */
  public Graph graph(UUID id) {
    List<Found> found = graphs.nodes(id, MOST_NODES);
    List<Node> nodes = found.stream().map(Found::node).toList();
    List<Edge> edges = graphs.edges(nodes.stream().map(Node::id).toList(), MOST_EDGES);
    return new Graph(
        nodes,
        edges,
        found.stream().filter(Found::above).count() == MOST_NODES
            || found.stream().filter(Found::below).count() == MOST_NODES
            || edges.size() == MOST_EDGES);
  }

  /**
   * The job's predecessors and their results, in the order in which it names them; read page by
   * page while the stream is, so that many large results do not take all memory.
   */
  public Stream<Predecessor> predecessors(UUID id) {
    return Stream.iterate(0, from -> from + PAGE)
        .map(from -> graphs.predecessors(id, from, PAGE))
        .takeWhile(page -> !page.isEmpty())
        .flatMap(List::stream);
  }
}
