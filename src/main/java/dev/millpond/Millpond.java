package dev.millpond;

import java.time.Clock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.context.annotation.Bean;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.transaction.TransactionException;

/**
 * The service: one process that accepts jobs over HTTP, keeps them in PostgreSQL and works on them.
 */
@SpringBootApplication
@ConfigurationPropertiesScan
@EnableScheduling
public class Millpond {

  /**
   * As many as there are turns that may wait at once for the database, and the loops of worker and
   * schedules, which always wait.
   */
  private static final int SCHEDULER_THREADS = 9;

  private static final Logger log = LoggerFactory.getLogger(Millpond.class);

  static void main(String[] args) {
    SpringApplication.run(Millpond.class, args);
  }

  /** The service's time; tests move it. */
  @Bean
  Clock clock() {
    return Clock.systemUTC();
  }

  /**
   * Threads of the operating system, since Spring's scheduler on virtual ones runs its turns on a
   * single thread.
   */
  @Bean
  ThreadPoolTaskScheduler taskScheduler() {
    ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
    scheduler.setPoolSize(SCHEDULER_THREADS);
    scheduler.setThreadNamePrefix("turn-");
    // Stops after the runs and the web server: until then leases are renewed.
    scheduler.setPhase(0);
    // Spring would end all turns when the stop begins, before any phase.
    scheduler.setAcceptTasksAfterContextClose(true);
    scheduler.setErrorHandler(Millpond::tell);
    return scheduler;
  }

  private static void tell(Throwable failure) {
    if (failure instanceof DataAccessException || failure instanceof TransactionException) {
      log.warn("A turn could not reach the database, and comes again: {}", failure.getMessage());
    } else {
      log.error("A turn failed, and comes again", failure);
    }
  }
}
