package dev.millpond.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurationExcludeFilter;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcClientAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.FilterType;
import org.springframework.jdbc.core.simple.JdbcClient;

@ExtendWith(OutputCaptureExtension.class)
class PostgresAutoConfigurationIT {

  @TempDir static Path temp;

  private final ApplicationContextRunner contexts =
      new ApplicationContextRunner()
          .withConfiguration(AutoConfigurations.of(EmbeddedPostgresAutoConfiguration.class))
          .withPropertyValues("millpond.data-dir=" + temp.resolve("unused"));

  @Test
  void aNamedDatabaseOrOtherConnectionDetailsLeaveNoWorkForUs() {
    contexts
        .withPropertyValues("spring.datasource.url=jdbc:postgresql://db/jobs")
        .run(context -> assertThat(context).doesNotHaveBean(EmbeddedPostgres.class));
    contexts
        .withBean(JdbcConnectionDetails.class, OtherDetails::new)
        .run(
            context ->
                assertThat(context)
                    .doesNotHaveBean(EmbeddedPostgres.class)
                    .hasSingleBean(JdbcConnectionDetails.class));
    assertThat(temp.resolve("unused")).doesNotExist();
  }

  @Test
  void theComponentScanDoesNotFindUsBesideTheImports() {
    new ApplicationContextRunner()
        .withUserConfiguration(Scan.class)
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .doesNotHaveBean(EmbeddedPostgresAutoConfiguration.class)
                    .doesNotHaveBean(DatabaseCheckAutoConfiguration.class));
  }

  @Test
  void theServerStopsAfterTheLastUserAndASecondServiceIsToldWhy(CapturedOutput output) {
    try (ConfigurableApplicationContext service = start(LastUser.class)) {
      assertThat(service.getBean(DatabaseCheck.class).unsafe()).isEmpty();
      // The check comes before the migrations.
      assertThat(service.getBeanFactory().getDependenciesForBean("flyway"))
          .contains("databaseCheck");

      assertThatThrownBy(() -> start(Plain.class)).isInstanceOf(RuntimeException.class);
      assertThat(output)
          .contains("APPLICATION FAILED TO START")
          .contains("is in use by another Millpond")
          .contains("Action:");
    }
    assertThat(LastUser.answers).containsExactly(1);
    assertThat(output.getOut().indexOf("Shutdown completed"))
        .isPositive()
        .isLessThan(output.getOut().indexOf("PostgreSQL stopped"));
  }

  /** A blank address counts as none: an empty variable in a compose file sets one. */
  private static ConfigurableApplicationContext start(Class<?> application) {
    return new SpringApplicationBuilder(application)
        .web(WebApplicationType.NONE)
        .run("--millpond.data-dir=" + temp.resolve("data"), "--spring.datasource.url= ");
  }

  @Configuration(proxyBeanMethods = false)
  @ImportAutoConfiguration({
    DatabaseCheckAutoConfiguration.class,
    EmbeddedPostgresAutoConfiguration.class,
    DataSourceAutoConfiguration.class,
    FlywayAutoConfiguration.class,
    JdbcTemplateAutoConfiguration.class,
    JdbcClientAutoConfiguration.class
  })
  static class Plain {}

  /** Still asks the database when the context closes. */
  @Configuration(proxyBeanMethods = false)
  static class LastUser extends Plain {

    static final List<Integer> answers = new ArrayList<>();

    @Bean
    DisposableBean lastQuery(JdbcClient jdbc) {
      return () -> answers.add(jdbc.sql("select 1").query(Integer.class).single());
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ComponentScan(
      excludeFilters = {
        @ComponentScan.Filter(
            type = FilterType.CUSTOM,
            classes = AutoConfigurationExcludeFilter.class),
        @ComponentScan.Filter(type = FilterType.REGEX, pattern = ".*IT.*")
      })
  static class Scan {}

  private record OtherDetails() implements JdbcConnectionDetails {

    @Override
    public String getUsername() {
      return "me";
    }

    @Override
    public String getPassword() {
      return "secret";
    }

    @Override
    public String getJdbcUrl() {
      return "jdbc:postgresql://db/jobs";
    }
  }
}
