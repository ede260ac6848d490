package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the other integration tests rely on. */
class DatabaseIT {

  @ParameterizedTest
  @CsvSource({
    "fsync, on",
    "synchronous_commit, on",
    "full_page_writes, on",
    "timezone, " + Database.TIME_ZONE
  })
  void aSessionHasThisSetting(String name, String value) throws SQLException {
    assertThat(ask(Database.fresh(), "show " + name)).isEqualTo(value);
  }

  @Test
  void theServerIsOfTheMajorVersionThatTheProductBrings() throws SQLException {
    assertThat(ask(Database.fresh(), "show server_version")).startsWith("18.");
  }

  @Test
  void eachDatabaseIsEmptyAndApartFromTheOthers() throws SQLException {
    Database.Details one = Database.fresh();
    Database.Details other = Database.fresh();
    try (Connection connection = one.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("create table mine (id int)");
    }
    String tables = "select count(*) from pg_tables where schemaname = 'public'";
    assertThat(ask(one, tables)).isEqualTo("1");
    assertThat(ask(other, tables)).isEqualTo("0");
  }

  private static String ask(Database.Details database, String sql) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
