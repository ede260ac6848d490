package dev.millpond.lease;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Finds the work of dead workers and the jobs that can no longer start in time. Its first turn
 * comes when this node listens on its port, and takes back at once what a former life of the node
 * held.
 */
@Component
class LeaseReaper {

  private final Leases leases;
  private final Duration lease;
  private final Counter expired;

  /** Until when no lease expires ({@code nanoTime}); read and written by the turn alone. */
  private long quietUntil = System.nanoTime();

  LeaseReaper(Leases leases, LeaseProperties properties, MeterRegistry meters) {
    this.leases = leases;
    this.lease = properties.duration();
    this.expired =
        Counter.builder("millpond.leases.expired")
            .description("Leases taken back because their worker was lost")
            .register(meters);
  }

  @Scheduled(fixedDelayString = "${millpond.lease.sweep}")
  void turn() {
    try {
      leases.expireWaiting();
      expired.increment(leases.expire(System.nanoTime() < quietUntil));
    } catch (DataAccessException away) {
      // Who could not reach the database could not renew either: everyone gets a full lease to do
      // so.
      quietUntil = System.nanoTime() + lease.toNanos();
      throw away;
    }
  }
}
