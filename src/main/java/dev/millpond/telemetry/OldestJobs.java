package dev.millpond.telemetry;

import dev.millpond.job.Traffic;
import dev.millpond.queue.Queues;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** The meter to alert on: for how long the oldest job that could start has waited, by queue. */
@Component
class OldestJobs {

  private static final Logger log = LoggerFactory.getLogger(OldestJobs.class);

  private final Traffic traffic;
  private final Queues queues;
  private final MultiGauge ages;

  OldestJobs(Traffic traffic, Queues queues, MeterRegistry meters) {
    this.traffic = traffic;
    this.queues = queues;
    this.ages =
        MultiGauge.builder("millpond.queue.oldest.age")
            .description("For how long the oldest job that could start has waited")
            .baseUnit("seconds")
            .register(meters);
  }

  @Scheduled(fixedDelayString = "PT15S")
  void measure() {
    try {
      List<String> names = queues.all().stream().map(queue -> queue.name().value()).toList();
      Map<String, Duration> oldest = traffic.oldest(names);
      ages.register(names.stream().map(name -> row(name, oldest)).toList(), true);
    } catch (DataAccessException away) {
      log.debug("Cannot measure how old the waiting jobs are: {}", away.getMessage());
    }
  }

  private static Row<Number> row(String queue, Map<String, Duration> oldest) {
    double seconds = oldest.getOrDefault(queue, Duration.ZERO).toMillis() / 1e3;
    return Row.of(Tags.of("queue", queue), seconds);
  }
}
