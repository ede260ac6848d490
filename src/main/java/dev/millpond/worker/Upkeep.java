package dev.millpond.worker;

import dev.millpond.lease.LeaseProperties;
import dev.millpond.lease.Leases;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.annotation.SchedulingConfigurer;
import org.springframework.scheduling.config.ScheduledTaskRegistrar;
import org.springframework.stereotype.Component;

/** What running jobs need from outside: leases renewed, progress written. */
@Component
class Upkeep implements SchedulingConfigurer {

  private static final Logger log = LoggerFactory.getLogger(Upkeep.class);

  private final Leases leases;
  private final Slots slots;
  private final Runs runs;
  private final Duration renewal;
  private final Counter lost;

  Upkeep(Leases leases, Slots slots, Runs runs, LeaseProperties lease, MeterRegistry meters) {
    this.leases = leases;
    this.slots = slots;
    this.runs = runs;
    this.renewal = lease.duration().dividedBy(3);
    this.lost =
        Counter.builder("millpond.leases.lost")
            .description("Leases that a run of this node no longer held when they were renewed")
            .register(meters);
  }

  @Override
  public void configureTasks(ScheduledTaskRegistrar tasks) {
    tasks.addFixedRateTask(this::renew, renewal);
  }

  /** All leases of this node in one statement. What does not come back is another worker's now. */
  void renew() {
    List<Run> held = slots.runs().stream().filter(Run::isHeld).toList();
    try {
      Map<UUID, Boolean> renewed = leases.renew(held.stream().map(Run::lease).toList());
      for (Run run : held) {
        Boolean cancelRequested = renewed.get(run.id());
        if (cancelRequested == null) {
          if (run.lose()) {
            lost.increment();
          }
        } else if (cancelRequested && !run.cancelRequested()) {
          run.cancel();
        }
      }
    } catch (DataAccessException away) {
      log.warn("Cannot renew {} leases: {}", held.size(), away.getMessage());
    }
  }

  @Scheduled(fixedDelayString = "PT1S")
  void write() {
    for (Run run : slots.runs()) {
      try {
        runs.write(run);
      } catch (DataAccessException away) {
        log.warn("Cannot write the progress of job {}: {}", run.id(), away.getMessage());
      }
    }
  }
}
