package dev.millpond.rest;

import dev.millpond.job.Job;
import dev.millpond.job.Jobs;
import dev.millpond.job.Outcome;
import dev.millpond.lease.Claim;
import dev.millpond.lease.Claims;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** What pull workers are given to do. */
@Component
final class PulledJobs {

  private final Queues queues;
  private final Leases leases;
  private final Claims claims;
  private final Jobs jobs;
  private final JobBodies bodies;

  PulledJobs(Queues queues, Leases leases, Claims claims, Jobs jobs, JobBodies bodies) {
    this.queues = queues;
    this.leases = leases;
    this.claims = claims;
    this.jobs = jobs;
    this.bodies = bodies;
  }

  /**
   * Refuses a claim that could never be given a job.
   *
   * @throws dev.millpond.queue.UnknownQueue if it does not exist
   * @throws ProblemException {@code no-pull-workers}
   */
  void requirePullWorkers(QueueName name) {
    Queue queue = queues.get(name);
    if (!queue.workers().mayPull()) {
      throw new ProblemException(
          Problem.NO_PULL_WORKERS,
          "The workers of queue " + name + " are " + queue.workers().label() + ".");
    }
  }

  /** The request's preference to wait, if one more may. */
  Optional<Prefer> heeded(HttpServletRequest request) {
    return Prefer.of(request).filter(_ -> claims.takesMore());
  }

  /** The queue's next jobs, each under a lease; with a preference, once there are some. */
  List<JobBody> claim(Claim claim, Optional<Prefer> prefer) throws InterruptedException {
    List<Lease> leased =
        prefer.isPresent() ? claims.await(claim, prefer.get().atMost()) : leases.claim(claim);
    if (leased.isEmpty()) {
      return List.of();
    }
    try {
      Map<UUID, Job> found = jobs.findAll(leased.stream().map(Lease::id).toList());
      return leased.stream()
          .filter(lease -> found.containsKey(lease.id()))
          .map(lease -> bodies.leased(Objects.requireNonNull(found.get(lease.id())), lease))
          .toList();
    } catch (RuntimeException unread) {
      // Nobody will be told of them.
      leased.forEach(
          lease -> {
            var _ = leases.settle(lease, new Outcome.Released(Duration.ZERO));
          });
      throw unread;
    }
  }
}
