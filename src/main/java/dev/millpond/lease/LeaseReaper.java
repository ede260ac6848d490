package dev.millpond.lease;

import dev.millpond.queue.Pulse;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Finds the work of dead workers, what was claimed by claims whose answer was lost, the jobs that
 * can no longer start in time, and those that could start and of which nobody who stopped told. Its
 * first turn comes when this node listens on its port, and takes back at once what a former life of
 * the node held.
 */
@Component
class LeaseReaper {

  /** As many as one statement ends. */
  private static final int BATCH = 500;

  private final Leases leases;
  private final Pulse pulse;
  private final Duration lease;
  private final Counter expired;

  /** Until when no lease expires ({@code nanoTime}); read and written by the turn alone. */
  private long quietUntil = System.nanoTime();

  private long lastTurn = System.nanoTime();

  LeaseReaper(Leases leases, Pulse pulse, LeaseProperties properties, MeterRegistry meters) {
    this.leases = leases;
    this.pulse = pulse;
    this.lease = properties.duration();
    this.expired =
        Counter.builder("millpond.leases.expired")
            .description("Leases taken back because their worker was lost")
            .register(meters);
  }

  @Scheduled(fixedDelayString = "${millpond.lease.sweep}")
  void sweep() {
    turn(pulse.mayWait(), pulse.mayBeLeased());
  }

  void turn(boolean waiting, boolean leased) {
    if (System.nanoTime() - lastTurn > lease.dividedBy(2).toNanos()) {
      // This process stood still: its own leases are to be renewed before they are judged.
      quietUntil = System.nanoTime() + lease.toNanos();
    }
    try {
      leases.giveBackUnheard();
      while (waiting && leases.expireWaiting() >= BATCH) {
        // More than fit into one statement are late.
      }
      boolean quiet = System.nanoTime() - quietUntil < 0;
      if (leased) {
        expired.increment(leases.expire(quiet));
      }
      if (leased && !quiet) {
        leases.timeOut();
      }
    } catch (DataAccessException away) {
      // Who could not reach the database could not renew either: everyone gets a full lease to do
      // so.
      quietUntil = System.nanoTime() + lease.toNanos();
      throw away;
    } finally {
      lastTurn = System.nanoTime();
    }
  }
}
