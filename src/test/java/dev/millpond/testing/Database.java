package dev.millpond.testing;

import dev.millpond.postgres.EmbeddedPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;

/**
 * The PostgreSQL of the tests: one server for the JVM, started by the first test that asks, and an
 * empty database for each that asks.
 *
 * <p>A Spring test imports this class ({@link IntegrationTest} does): its context then has a
 * database of its own, and Flyway builds the schema. Other tests call {@link #fresh()}.
 *
 * <p>Two things are unlike the usual test set-up on purpose. fsync and synchronous_commit are on,
 * as in production. And the sessions' time zone is the JVM's, which the build sets to one with a
 * broken offset ({@link #TIME_ZONE}), so that code which leaves a zone to chance is found.
 */
public final class Database {

  /** Five and three quarter hours ahead of UTC. */
  public static final String TIME_ZONE = "Asia/Kathmandu";

  private static final Logger log = LoggerFactory.getLogger(Database.class);

  /** Enough for the pools of all contexts that the test framework keeps. */
  private static final int CONNECTIONS = 300;

  private static final AtomicInteger counter = new AtomicInteger();
  private static final AtomicBoolean closedBySpring = new AtomicBoolean();

  Database() {}

  @Bean
  static StoreFaults storeFaults() {
    return new StoreFaults();
  }

  @Bean
  JdbcConnectionDetails jdbcConnectionDetails() {
    // Spring's own hook closes all contexts first. The JVM's hooks run side by side, and the server
    // would be gone while jobs are still given back.
    if (closedBySpring.compareAndSet(false, true)) {
      SpringApplication.getShutdownHandlers().add(Server.THE_ONE.close());
    }
    return fresh();
  }

  /** A new, empty database. It stays until the end of the run. */
  public static Details fresh() {
    String name = "test_" + counter.incrementAndGet();
    Server.THE_ONE.execute(
        "create database " + name,
        "alter database %s set timezone = '%s'".formatted(name, TIME_ZONE));
    Details server = Server.THE_ONE.details();
    return new Details(
        server.getJdbcUrl().replaceFirst("/[^/?]*(?=$|\\?)", "/" + name),
        server.getUsername(),
        server.getPassword());
  }

  /** Which server it is. */
  public static TestDatabase kind() {
    return Server.THE_ONE.kind();
  }

  /** How to reach a database. */
  public record Details(String getJdbcUrl, String getUsername, String getPassword)
      implements JdbcConnectionDetails {

    /** A connection that the caller closes. */
    public Connection connect() throws SQLException {
      return DriverManager.getConnection(getJdbcUrl, getUsername, getPassword);
    }
  }

  private record Server(TestDatabase kind, Details details, Runnable close) {

    /** Started when the class is first used. */
    static final Server THE_ONE = start();

    private static Server start() {
      TestDatabase kind = TestDatabase.choose(DockerClientFactory.instance().isDockerAvailable());
      log.info(kind.announcement());
      Server server =
          switch (kind) {
            case CONTAINER -> container();
            case EMBEDDED -> embedded();
          };
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(
                      () -> {
                        if (!closedBySpring.get()) {
                          server.close.run();
                        }
                      }));
      return server;
    }

    private static Server container() {
      // The command replaces the library's own, which turns fsync off.
      PostgreSQLContainer container =
          new PostgreSQLContainer("postgres:18")
              .withCommand("postgres", "-c", "max_connections=" + CONNECTIONS);
      container.start();
      return new Server(
          TestDatabase.CONTAINER,
          new Details(container.getJdbcUrl(), container.getUsername(), container.getPassword()),
          container::stop);
    }

    /** Kept between runs, which saves making it; so what the last run left is dropped first. */
    private static Server embedded() {
      Path directory = Path.of("target", "test-postgres");
      Server server = embedded(EmbeddedPostgres.start(directory));
      if (!server.query("show max_connections").contains(Integer.toString(CONNECTIONS))) {
        server.execute("alter system set max_connections = " + CONNECTIONS);
        server.close.run();
        server = embedded(EmbeddedPostgres.start(directory));
      }
      for (String name : server.query("select datname from pg_database")) {
        if (name.startsWith("test_")) {
          server.execute("drop database " + name);
        }
      }
      return server;
    }

    private static Server embedded(EmbeddedPostgres postgres) {
      return new Server(
          TestDatabase.EMBEDDED,
          new Details(postgres.jdbcUrl(), postgres.user(), postgres.password()),
          postgres::close);
    }

    List<String> query(String sql) {
      return withConnection(jdbc -> jdbc.queryForList(sql, String.class));
    }

    void execute(String... statements) {
      withConnection(
          jdbc -> {
            for (String statement : statements) {
              jdbc.execute(statement);
            }
            return List.of();
          });
    }

    private <T> List<T> withConnection(java.util.function.Function<JdbcTemplate, List<T>> use) {
      try (Connection connection = details.connect()) {
        return use.apply(new JdbcTemplate(new SingleConnectionDataSource(connection, true)));
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
