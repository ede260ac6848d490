package dev.millpond.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the connected server says about itself at start: old versions and unreachable servers stop
 * the start, settings that can lose accepted jobs are only warned about, since somebody may want
 * them on a machine for trials.
 *
 * @param version the server's {@code server_version_num}, 180004 for 18.4
 * @param unsafe the durability settings that are off
 */
record DatabaseCheck(int version, List<String> unsafe) {

  private static final Logger log = LoggerFactory.getLogger(DatabaseCheck.class);
  private static final int OLDEST = 15;
  private static final String SETTINGS =
      """
      select current_setting('server_version_num')::int,
             current_setting('fsync'),
             current_setting('synchronous_commit'),
             current_setting('full_page_writes')
      """;

  /** Asks the server over one connection; the address is only named in messages. */
  static DatabaseCheck run(DataSource dataSource, String jdbcUrl) {
    DatabaseCheck check;
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(SETTINGS)) {
      row.next();
      check = read(row);
    } catch (SQLException e) {
      throw unreachable(withoutSecrets(jdbcUrl), e);
    }
    check.judge(withoutSecrets(jdbcUrl));
    return check;
  }

  private static DatabaseCheck read(ResultSet row) throws SQLException {
    List<String> unsafe = new ArrayList<>();
    for (int column = 2; column <= row.getMetaData().getColumnCount(); column++) {
      if ("off".equals(row.getString(column))) {
        unsafe.add(List.of("fsync", "synchronous_commit", "full_page_writes").get(column - 2));
      }
    }
    return new DatabaseCheck(row.getInt(1), List.copyOf(unsafe));
  }

  void judge(String address) {
    if (version < OLDEST * 10_000) {
      throw new StartFailure(
          "The database at %s is PostgreSQL %d; Millpond needs %d or newer."
              .formatted(address, version / 10_000, OLDEST),
          "Upgrade the server, or let spring.datasource.url name a newer one.");
    }
    for (String setting : unsafe) {
      log.warn(
          "{} is off on the database at {}: jobs that were accepted can be lost when the machine or"
              + " the server stops hard. Turn it on unless these jobs do not matter.",
          setting,
          address);
    }
  }

  private static StartFailure unreachable(String address, SQLException cause) {
    Throwable root = cause;
    for (Throwable next = cause.getCause(); next != null; next = next.getCause()) {
      root = next instanceof SQLException ? next : root;
    }
    return new StartFailure(
        "The database at %s cannot be used: %s".formatted(address, root.getMessage()),
        "Check that the server runs and can be reached from here, and that spring.datasource.url,"
            + " .username and .password are right. With no spring.datasource.url at all, Millpond"
            + " starts a PostgreSQL of its own.",
        cause);
  }

  /** Parameters may hold a password, and so may a user before an at sign. */
  static String withoutSecrets(String jdbcUrl) {
    return jdbcUrl.replaceFirst("\\?.*", "").replaceFirst("//[^/]*@", "//");
  }
}
