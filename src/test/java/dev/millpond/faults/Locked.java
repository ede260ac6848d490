package dev.millpond.faults;

import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Somebody who holds the rows of the next jobs, and does not let go. */
final class Locked {

  /** How many may end that were claimed before: the slots of a node. */
  static final int IN_FLIGHT = 64;

  private Locked() {}

  /** How many jobs became final beside the locked ones while these were locked. */
  static int doneBeside(Stage stage, Duration length) throws SQLException {
    try (Connection connection = stage.postgres().connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      await("jobs wait")
          .pollInterval(Duration.ofMillis(5))
          .until(
              () ->
                  count(
                          statement,
                          """
                          select count(*) from (
                            select from ready order by priority desc, rank, id limit 20 for update) as locked
                          """)
                      > 0);
      int before = done(statement);
      LockSupport.parkNanos(length.toNanos());
      int done = done(statement) - before;
      connection.rollback();
      return done;
    }
  }

  private static int done(Statement statement) throws SQLException {
    return count(statement, "select count(*) from noted where kind = 'final'");
  }

  private static int count(Statement statement, String sql) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getInt(1);
    }
  }
}
