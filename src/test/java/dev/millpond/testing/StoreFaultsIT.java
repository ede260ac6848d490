package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.StoreFaults.When;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** A statement that fails has taken effect or has not, as was asked for. */
class StoreFaultsIT {

  private static final int STATEMENTS = 1_000;

  private final Database.Details database = Database.fresh();

  @Test
  void whatFailsBeforeHasNoEffect() throws Exception {
    int failed = insert(When.BEFORE);
    assertThat(failed).isBetween(20, 100);
    assertThat(rows()).isEqualTo(STATEMENTS - failed);
  }

  @Test
  void whatFailsAfterHasTakenEffect() throws Exception {
    assertThat(insert(When.AFTER)).isBetween(20, 100);
    assertThat(rows()).isEqualTo(STATEMENTS);
  }

  @Test
  void theThreadOfTheTestIsSpared() throws SQLException {
    try (Connection connection = failing(When.BEFORE)) {
      assertThat(insert(connection)).isZero();
    }
  }

  private int insert(When when) throws Exception {
    try (Connection connection = failing(when);
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      return other.submit(() -> insert(connection)).get();
    }
  }

  private Connection failing(When when) throws SQLException {
    try (Connection connection = database.connect()) {
      new JdbcTemplate(new SingleConnectionDataSource(connection, true))
          .execute("create table written (n int)");
    }
    return StoreFaults.failing(
            when,
            new DriverManagerDataSource(
                database.getJdbcUrl(), database.getUsername(), database.getPassword()))
        .getConnection();
  }

  /** How many statements failed. */
  private static int insert(Connection connection) throws SQLException {
    int failed = 0;
    try (PreparedStatement statement =
        connection.prepareStatement("insert into written values (?)")) {
      for (int n = 0; n < STATEMENTS; n++) {
        statement.setInt(1, n);
        try {
          statement.executeUpdate();
        } catch (SQLException broken) {
          failed++;
        }
      }
    }
    return failed;
  }

  private int rows() throws SQLException {
    try (Connection connection = database.connect()) {
      Integer rows =
          new JdbcTemplate(new SingleConnectionDataSource(connection, true))
              .queryForObject("select count(*) from written", Integer.class);
      return rows == null ? 0 : rows;
    }
  }
}
