package dev.millpond.worker;

import dev.millpond.dependency.Dependencies;
import dev.millpond.handler.Handlers;
import dev.millpond.job.JobError;
import dev.millpond.job.Outcome;
import dev.millpond.lease.CancelRequested;
import dev.millpond.lease.Lease;
import dev.millpond.lease.Leases;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.NonTransientDataAccessException;
import org.springframework.stereotype.Component;

/**
 * Starts runs and ends them. Runs have threads of the operating system, unlike requests: a handler
 * that computes would keep a virtual thread's carrier, and with as many of them as processors
 * nothing else of the service would run.
 */
@Component
class Runs implements Run.Settler {

  private static final Duration SETTLE_AGAIN = Duration.ofMillis(250);
  private static final JobError REFUSED =
      new JobError("settlement-refused", "the database refused to store the outcome");
  private static final Logger log = LoggerFactory.getLogger(Runs.class);

  private final Leases leases;
  private final Handlers handlers;
  private final Slots slots;
  private final Timeouts timeouts;
  private final Wakeup wakeup;
  private final MeterRegistry meters;
  private final Dependencies dependencies;
  private final Clock clock;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("run-", 0).daemon().factory());

  Runs(
      Leases leases,
      Handlers handlers,
      Slots slots,
      Timeouts timeouts,
      Wakeup wakeup,
      MeterRegistry meters,
      Dependencies dependencies,
      Clock clock) {
    this.leases = leases;
    this.handlers = handlers;
    this.slots = slots;
    this.timeouts = timeouts;
    this.wakeup = wakeup;
    this.meters = meters;
    this.dependencies = dependencies;
    this.clock = clock;
  }

  void start(Lease lease) {
    Run run = new Run(lease, handlers, new Report(clock), this, dependencies);
    if (slots.take(run)) {
      timeouts.watch();
      execute(run);
    } else {
      // A former attempt of the job, timed out, still runs here: it would run twice in one process.
      var _ = leases.settle(lease, new Outcome.Released(Duration.ofSeconds(1)));
    }
  }

  private void execute(Run run) {
    try {
      threads.execute(run);
    } catch (OutOfMemoryError noThread) {
      log.error("Cannot start a thread for job {}: it is given back", run.id(), noThread);
      slots.free(run);
      var _ = leases.settle(run.lease(), new Outcome.Released(Duration.ofSeconds(1)));
    }
  }

  @Override
  public void settle(Run run, Outcome outcome) {
    slots.beginSettling();
    try {
      Outcome next = outcome;
      while (next != null && !Thread.currentThread().isInterrupted()) {
        next = trySettle(run, next);
        if (next != null) {
          LockSupport.parkNanos(SETTLE_AGAIN.toNanos());
        }
      }
    } finally {
      slots.endSettling();
    }
  }

  /** What is to be settled at the next try; null if it is settled or lost. */
  private @Nullable Outcome trySettle(Run run, Outcome outcome) {
    try {
      write(run);
      var _ = leases.settle(run.lease(), outcome).get();
      return null;
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return outcome;
    } catch (ExecutionException failed) {
      return again(run, outcome, failed.getCause());
    } catch (RuntimeException failed) {
      return again(run, outcome, failed);
    }
  }

  private static Outcome again(Run run, Outcome outcome, @Nullable Throwable failure) {
    if (failure instanceof NonTransientDataAccessException
        && !(failure instanceof DataAccessResourceFailureException)) {
      log.error("The outcome of job {} cannot be written", run.id(), failure);
      return new Outcome.Failed(REFUSED, true, null);
    }
    // The lease is renewed meanwhile, and the same settlement may be sent again.
    log.warn("Cannot settle job {}, will try again: {}", run.id(), String.valueOf(failure));
    return outcome;
  }

  /** Writes what the handler told of its work and is not written yet. */
  void write(Run run) {
    Report.Unwritten unwritten = run.report().take();
    try {
      if (unwritten.progress() != null) {
        leases.progress(
            run.lease(), unwritten.progress().percent(), unwritten.progress().message());
      }
      if (!unwritten.lines().isEmpty()) {
        leases.log(run.lease(), unwritten.lines());
      }
    } catch (DataAccessException away) {
      run.report().putBack(unwritten);
      throw away;
    }
  }

  @Override
  public void over(Run run, Duration execution) {
    slots.free(run);
    meters.timer("millpond.jobs.execution", "type", run.lease().type()).record(execution);
    wakeup.wake();
  }

  @EventListener
  void on(CancelRequested request) {
    slots.find(request.id()).ifPresent(Run::cancel);
  }
}
