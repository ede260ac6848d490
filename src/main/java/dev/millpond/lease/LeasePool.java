package dev.millpond.lease;

import com.zaxxer.hikari.HikariDataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;

/**
 * Connections of their own for claims, renewals and settlements: whatever requests or handlers do
 * with the main pool, a lease that is held is renewed in time.
 */
@Configuration(proxyBeanMethods = false)
class LeasePool {

  /**
   * One for the claim, one for the settlements, one for renewal and expiry, one for cancel and
   * progress, one for the lines of concurrency keys.
   */
  private static final int CONNECTIONS = 5;

  /** A host that vanished without a reset is given up well within a lease. */
  private static final int CONNECT_SECONDS = 2;

  private static final int SOCKET_SECONDS = 10;

  @Bean(defaultCandidate = false)
  @Qualifier("leases")
  HikariDataSource leaseDataSource(
      JdbcConnectionDetails details,
      @Value("${spring.datasource.hikari.connection-timeout}") long timeoutMillis) {
    HikariDataSource pool = new HikariDataSource();
    pool.setPoolName("leases");
    pool.setJdbcUrl(details.getJdbcUrl());
    pool.setUsername(details.getUsername());
    pool.setPassword(details.getPassword());
    pool.setMaximumPoolSize(CONNECTIONS);
    pool.setConnectionTimeout(timeoutMillis);
    // The planner takes its general plan of SETTLE for a bad one, and would plan each anew: 1.3 ms.
    pool.setConnectionInitSql("set plan_cache_mode = force_generic_plan");
    pool.addDataSourceProperty("ApplicationName", "millpond-leases");
    pool.addDataSourceProperty("connectTimeout", CONNECT_SECONDS);
    pool.addDataSourceProperty("socketTimeout", SOCKET_SECONDS);
    pool.addDataSourceProperty("tcpKeepAlive", true);
    return pool;
  }

  @Bean(defaultCandidate = false)
  @Qualifier("leases")
  NamedParameterJdbcTemplate leaseJdbc(@Qualifier("leases") HikariDataSource pool) {
    return new NamedParameterJdbcTemplate(pool);
  }
}
