package dev.millpond.rest;

import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.Socket;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.hibernate.TransactionException;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.test.context.TestComponent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.dao.UncategorizedDataAccessException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.orm.jpa.JpaSystemException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * The edges of the API around a controller that does little, without a database. Marked as no
 * configuration, so that the scan of the whole service passes it over.
 */
@EnableAutoConfiguration(
    exclude = {
      DataSourceAutoConfiguration.class,
      HibernateJpaAutoConfiguration.class,
      DataJpaRepositoriesAutoConfiguration.class,
      FlywayAutoConfiguration.class
    })
@EnableConfigurationProperties(RestSettings.class)
@Import({
  Problems.class,
  ProblemAdvice.class,
  ErrorDispatch.class,
  ProblemPages.class,
  FrontDoor.class,
  TomcatEdge.class,
  ReachFilter.class,
  OpenApiText.class,
  EdgeApp.Echo.class
})
class EdgeApp {

  record Settings(int cap, Nested nested) {}

  record Nested(boolean on) {}

  @RestController
  @TestComponent
  static class Echo {

    @PostMapping("/v1/echo")
    @Answers({Problem.PAYLOAD_TOO_LARGE, Problem.QUEUE_FULL, Problem.OVERLOADED})
    Map<String, Object> echo(HttpServletRequest request) throws IOException {
      return Map.of("bytes", RequestBodies.read(request, RequestBodies.SINGLE).length);
    }

    private final CountDownLatch met = new CountDownLatch(1);
    private final CountDownLatch hungUp = new CountDownLatch(1);
    private final CountDownLatch over = new CountDownLatch(1);

    /** Answers once its client has hung up, and more than any buffer takes. */
    @GetMapping("/v1/unwanted")
    List<String> unwanted() throws InterruptedException {
      met.countDown();
      hungUp.await();
      return Collections.nCopies(64, "x".repeat(1024 * 1024));
    }

    void hangUpOnceMet(Socket client) throws InterruptedException, IOException {
      met.await();
      client.setSoLinger(true, 0);
      client.close();
      hungUp.countDown();
    }

    void awaitTheEnd() throws InterruptedException {
      over.await();
    }

    @Bean
    Filter unwantedIsOver() {
      return (request, response, chain) -> {
        try {
          chain.doFilter(request, response);
        } finally {
          if (hungUp.getCount() == 0) {
            over.countDown();
          }
        }
      };
    }

    @GetMapping("/v1/jobs/{id}")
    Map<String, Object> job(@PathVariable UUID id, @RequestParam int number) {
      return Map.of("id", id, "number", number);
    }

    @PutMapping("/v1/settings")
    Settings settings(@RequestBody Settings settings) {
      return settings;
    }

    @GetMapping("/v1/fail/{how}")
    String fail(@PathVariable String how) {
      throw failure(how);
    }

    @PostMapping("/v1/fail/{how}")
    String failToChange(@PathVariable String how) {
      throw failure(how);
    }

    private static RuntimeException failure(String how) {
      return switch (how) {
        case "connect" -> new CannotGetJdbcConnectionException("secret");
        case "busy" ->
            new CannotGetJdbcConnectionException(
                "secret", new SQLTransientConnectionException("timed out"));
        case "away" ->
            new CannotGetJdbcConnectionException(
                "secret",
                new SQLTransientConnectionException("timed out", new SQLException("refused")));
        case "rollback" ->
            new UncategorizedDataAccessException(
                "secret", new SQLException("This connection has been closed.", "08003")) {};
        case "endless" ->
            new JpaSystemException(
                new TransactionException("secret", new SQLException("Connection is closed")));
        case "broken" -> new DataAccessResourceFailureException("secret");
        case "timeout" -> new QueryTimeoutException("select secret");
        default -> new IllegalStateException("secret");
      };
    }
  }
}
