package dev.millpond.callback;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** The meter to alert on: for how long the oldest end of a job has not been told. */
@Component
class OldestCallback {

  private static final Logger log = LoggerFactory.getLogger(OldestCallback.class);

  private final CallbackSql sql;

  /** Written by the measuring turn, read by the meter. */
  private volatile Duration age = Duration.ZERO;

  OldestCallback(CallbackSql sql, MeterRegistry meters) {
    this.sql = sql;
    TimeGauge.builder("millpond.callbacks.oldest.age", () -> age.toMillis(), TimeUnit.MILLISECONDS)
        .description("For how long the oldest end of a job has not been told")
        .register(meters);
  }

  @Scheduled(fixedDelayString = "PT15S")
  void measure() {
    try {
      age = sql.oldest();
    } catch (DataAccessException away) {
      log.debug("Cannot measure how old the oldest callback is: {}", away.getMessage());
    }
  }
}
