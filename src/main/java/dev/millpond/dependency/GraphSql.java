package dev.millpond.dependency;

import dev.millpond.dependency.Graph.Edge;
import dev.millpond.dependency.Graph.Node;
import dev.millpond.job.JobState;
import dev.millpond.job.Predecessor;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/** Reads of what depends on what. None takes a lock. */
@Component
final class GraphSql {

  /**
   * The jobs on which a job depends, and those that depend on it, the nearest first: by the primary
   * key of dependency, and by dependency_predecessor in the partition of each day.
   */
  private static final String NODES =
      """
      with recursive above (id) as (
        select :id::uuid
        union
        select next.predecessor
        from above, lateral (select predecessor from dependency where dependency.id = above.id offset 0) as next
      ), below (id) as (
        select :id::uuid
        union
        select next.id
        from below, lateral (select id from dependency where dependency.predecessor = below.id offset 0) as next
      )
      select found.id, status.type, status.state, status.queue, found.above, found.below
      from (select coalesce(a.id, b.id) as id, a.id is not null as above, b.id is not null as below
            from (select id from above limit :most) as a
            full join (select id from below limit :most) as b on b.id = a.id) as found
      left join job_status as status on status.id = found.id
      order by found.id
      """;

  /** By the primary key. */
  private static final String EDGES =
      """
      select predecessor, id from dependency
      where id = any(:ids::uuid[]) and predecessor = any(:ids::uuid[])
      order by id, place
      limit :most
      """;

  /** By the primary keys of dependency and finished. */
  private static final String PREDECESSORS =
      """
      select dependency.predecessor, finished.state, finished.result
      from dependency left join finished on finished.id = dependency.predecessor
      where dependency.id = :id and dependency.place >= :from
      order by dependency.place
      limit :limit
      """;

  private final JdbcClient jdbc;

  GraphSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /** A job of a graph, and in which directions it was found. */
  record Found(Node node, boolean above, boolean below) {}

  /** At most so many in each direction, the job itself included in both. */
  List<Found> nodes(UUID id, int most) {
    return jdbc.sql(NODES)
        .param("id", id)
        .param("most", most)
        .query(
            (row, n) ->
                new Found(
                    new Node(
                        row.getObject("id", UUID.class),
                        row.getString("type"),
                        row.getString("state"),
                        row.getString("queue")),
                    row.getBoolean("above"),
                    row.getBoolean("below")))
        .list();
  }

  List<Edge> edges(Collection<UUID> ids, int most) {
    return jdbc.sql(EDGES)
        .param("ids", new SqlArrayValue("uuid", ids.toArray()))
        .param("most", most)
        .query(
            (row, n) ->
                new Edge(row.getObject("predecessor", UUID.class), row.getObject("id", UUID.class)))
        .list();
  }

  List<Predecessor> predecessors(UUID id, int from, int limit) {
    return jdbc.sql(PREDECESSORS)
        .param("id", id)
        .param("from", from)
        .param("limit", limit)
        .query(
            (row, n) ->
                new Predecessor(
                    row.getObject("predecessor", UUID.class),
                    Optional.ofNullable(row.getString("state")).map(JobState::of).orElse(null),
                    row.getString("result")))
        .list();
  }
}
