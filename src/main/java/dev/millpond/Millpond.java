package dev.millpond;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.scheduling.annotation.EnableScheduling;

/**
 * The service: one process that accepts jobs over HTTP, keeps them in PostgreSQL and works on them.
 */
@SpringBootApplication
@ConfigurationPropertiesScan
@EnableScheduling
public class Millpond {

  static void main(String[] args) {
    SpringApplication.run(Millpond.class, args);
  }
}
