package dev.millpond.queue;

import jakarta.annotation.PreDestroy;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.stereotype.Component;

/**
 * The statement that a node sends at rest. It has a connection of its own: one of a pool would be
 * tried each time before it is used, which is a second statement.
 */
@Component
final class PulseSql {

  /** A host that vanished without a reset is found out before what was seen is stale. */
  private static final int TIMEOUT_SECONDS = 2;

  /** A look among rows that nobody could vacuum away is ended before the next one. */
  private static final int LOOK_SECONDS = 1;

  /**
   * Scans the table of queues, and looks whether there is a row in each of the others. Takes no
   * lock.
   */
  private static final String LOOK =
      """
      select (select coalesce(bit_xor(hashtextextended(name, (extract(epoch from updated_at) * 1000000)::bigint)), 0)
              from queue) as settings,
             exists (select from ready) or exists (select from delayed) as waiting,
             exists (select from lease) as leased,
             exists (select from key_slot) or exists (select from key_note) as keys,
             exists (select from dependency_due) as ends,
             exists (select from callback_due) as callbacks
      """;

  private final SingleConnectionDataSource connection = new SingleConnectionDataSource();
  private final JdbcClient jdbc;

  PulseSql(JdbcConnectionDetails details) {
    Properties properties = new Properties();
    properties.setProperty("ApplicationName", "millpond-pulse");
    properties.setProperty("connectTimeout", Integer.toString(TIMEOUT_SECONDS));
    properties.setProperty("socketTimeout", Integer.toString(TIMEOUT_SECONDS));
    connection.setUrl(details.getJdbcUrl());
    connection.setUsername(details.getUsername());
    connection.setPassword(details.getPassword());
    connection.setConnectionProperties(properties);
    connection.setSuppressClose(true);
    JdbcTemplate template = new JdbcTemplate(connection);
    template.setQueryTimeout(LOOK_SECONDS);
    this.jdbc = JdbcClient.create(template);
  }

  /**
   * What there is.
   *
   * @param settings other than before if any queue is; null if that is not known
   */
  record Signs(
      @Nullable Long settings,
      boolean waiting,
      boolean leased,
      boolean keys,
      boolean ends,
      boolean callbacks) {

    static final Signs UNKNOWN = new Signs(null, true, true, true, true, true);
  }

  Signs look() {
    try {
      return jdbc.sql(LOOK)
          .query(
              (row, n) ->
                  new Signs(
                      row.getLong("settings"),
                      row.getBoolean("waiting"),
                      row.getBoolean("leased"),
                      row.getBoolean("keys"),
                      row.getBoolean("ends"),
                      row.getBoolean("callbacks")))
          .single();
    } catch (DataAccessException lost) {
      connection.resetConnection();
      throw lost;
    }
  }

  @PreDestroy
  void close() {
    connection.destroy();
  }
}
