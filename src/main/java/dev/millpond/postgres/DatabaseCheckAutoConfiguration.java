package dev.millpond.postgres;

import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;

/** Checks the connected database, embedded or not, before anything else uses it. */
@AutoConfiguration(after = DataSourceAutoConfiguration.class)
@ConditionalOnBean(JdbcConnectionDetails.class)
@ConditionalOnSingleCandidate(DataSource.class)
final class DatabaseCheckAutoConfiguration {

  @Bean
  DatabaseCheck databaseCheck(DataSource dataSource, JdbcConnectionDetails details) {
    return DatabaseCheck.run(dataSource, details.getJdbcUrl());
  }
}
