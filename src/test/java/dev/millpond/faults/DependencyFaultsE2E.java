package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.QueueInvariants;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** A chain of jobs whose nodes are killed in the middle of it, one after the other. */
@Timeout(600)
@Tag("whole")
class DependencyFaultsE2E {

  private static final String QUEUE = "chain";
  private static final int LENGTH = 400;
  private static final int KILLS = 4;
  private static final Duration SOON = Duration.ofMinutes(2);

  @Test
  void aChainGoesOnWhicheverNodesAreKilledAndNothingStaysBlocked() throws Exception {
    try (Stage stage = new Stage("dependencies", 2, "");
        Connection database = stage.postgres().connect()) {
      List<String> chain = stage.node(0).api().submitAll(QUEUE, chain());
      for (int kill = 1; kill <= KILLS; kill++) {
        int node = kill % 2;
        String next = chain.get(kill * LENGTH / (KILLS + 1));
        stage.node(1 - node).api().awaitState(next, "succeeded", SOON);
        stage.node(node).kill9();
        stage.node(node).start();
      }
      ApiClient api = stage.node(0).api();
      api.awaitState(chain.getLast(), "succeeded", SOON);
      api.awaitDrained(QUEUE, SOON);
      assertThat(startedTooEarly(database)).isZero();
      QueueInvariants.check(new SingleConnectionDataSource(database, true));
    }
  }

  private static List<String> chain() {
    return IntStream.range(0, LENGTH)
        .mapToObj(
            n ->
                "{\"type\": \"demo.noop\", \"ref\": \"r%d\", \"dependsOn\": [%s]}"
                    .formatted(n, n == 0 ? "" : "\"r" + (n - 1) + "\""))
        .toList();
  }

  private static int startedTooEarly(Connection database) throws SQLException {
    try (Statement statement = database.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                select count(*)
                from dependency join finished after on after.id = dependency.id
                join finished before on before.id = dependency.predecessor
                where after.started_at < before.finished_at
                """)) {
      row.next();
      return row.getInt(1);
    }
  }
}
