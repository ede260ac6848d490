package dev.millpond.admission;

import dev.millpond.admission.Reservation.Demand;
import dev.millpond.job.Job;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/** The way back in for jobs that have ended: an admission like any other. */
@Component
public class Redrives {

  private final Permits permits;
  private final Leases leases;
  private final Uniqueness uniqueness;

  Redrives(Permits permits, Leases leases, Uniqueness uniqueness) {
    this.permits = permits;
    this.leases = leases;
    this.uniqueness = uniqueness;
  }

  /** What came of sending finished jobs back into their queue. */
  public sealed interface Redrive {

    /**
     * So many wait again; the others were not finished, or are so no more, or another job holds
     * their unique keys.
     */
    record Done(int jobs) implements Redrive {}

    /** Another job holds the unique key of the only one. */
    record Duplicate(UUID holder) implements Redrive {}

    /** They were not let in, or their account was closed again and again. */
    record Refused(Decision.Refused why) implements Redrive {}
  }

  /** Queues a finished job again, if the queue has room. */
  public Redrive redrive(Job job) {
    QueueName queue = new QueueName(job.queue());
    List<JobRef> jobs = List.of(new JobRef(job.id(), job.tenant()));
    Redrive redrive = redrive(queue, jobs, JobState.FINAL, Duration.ZERO, Duration.ZERO);
    return redrive.equals(new Redrive.Done(0))
        ? uniqueness.holder(job.id()).<Redrive>map(Redrive.Duplicate::new).orElse(redrive)
        : redrive;
  }

  /**
   * Queues finished jobs of one queue again, if it has room for all of them.
   *
   * @param states only those that have ended so
   * @param first how long the first one waits
   * @param step how much longer each one waits than the one before; zero only if {@code first} is
   */
  public Redrive redrive(
      QueueName queue, List<JobRef> jobs, Set<JobState> states, Duration first, Duration step) {
    Map<Optional<String>, Integer> wanted =
        jobs.stream()
            .collect(
                Collectors.groupingBy(
                    job -> Optional.ofNullable(job.tenant()), Collectors.summingInt(_ -> 1)));
    List<UUID> ids = jobs.stream().map(JobRef::id).toList();
    for (int i = 0; i < Admission.TRIES; i++) {
      switch (permits.reserve(queue, demands(wanted, first.isZero()), null)) {
        case Decision.Full full -> {
          return new Redrive.Refused(full);
        }
        case Decision.TenantOverShare over -> {
          return new Redrive.Refused(over);
        }
        case Reservation reservation -> {
          Optional<Redrive> done =
              redrive(
                  reservation,
                  () -> leases.redrive(reservation.account(), ids, states, first, step));
          if (done.isPresent()) {
            return done.get();
          }
        }
      }
    }
    return new Redrive.Refused(new Decision.Overloaded());
  }

  /** Empty if the account is closed: then nothing was moved. */
  private Optional<Redrive> redrive(
      Reservation reservation, Supplier<Optional<Map<Optional<String>, Integer>>> statement) {
    try {
      Optional<Map<Optional<String>, Integer>> moved = statement.get();
      permits.written();
      permits.cancel(reservation.without(moved.orElse(Map.of())));
      if (moved.isEmpty()) {
        permits.doubt(reservation.books());
      }
      return moved.map(
          jobs -> new Redrive.Done(jobs.values().stream().mapToInt(count -> count).sum()));
    } catch (DataAccessException unknown) {
      permits.doubt(reservation.books());
      throw unknown;
    }
  }

  private static List<Demand> demands(Map<Optional<String>, Integer> jobs, boolean forNow) {
    return jobs.entrySet().stream()
        .map(e -> new Demand(e.getKey().orElse(null), e.getValue(), forNow ? e.getValue() : 0))
        .toList();
  }
}
