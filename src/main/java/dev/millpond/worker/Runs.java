package dev.millpond.worker;

import dev.millpond.handler.Handlers;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Starts runs and ends them. Runs have threads of the operating system, unlike requests: a handler
 * that computes would keep a virtual thread's carrier, and with as many of them as processors
 * nothing else of the service would run.
 */
@Component
class Runs implements Run.Settler {

  private static final Duration SETTLE_AGAIN = Duration.ofMillis(250);
  private static final Logger log = LoggerFactory.getLogger(Runs.class);

  private final Leases leases;
  private final Handlers handlers;
  private final Slots slots;
  private final Wakeup wakeup;
  private final MeterRegistry meters;
  private final Clock clock;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("run-", 0).daemon().factory());

  Runs(
      Leases leases,
      Handlers handlers,
      Slots slots,
      Wakeup wakeup,
      MeterRegistry meters,
      Clock clock) {
    this.leases = leases;
    this.handlers = handlers;
    this.slots = slots;
    this.wakeup = wakeup;
    this.meters = meters;
    this.clock = clock;
  }

  void start(Lease lease) {
    meters.timer("millpond.jobs.wait", "queue", lease.queue().value()).record(lease.waited());
    Run run = new Run(lease, handlers, new Report(clock), this);
    if (slots.take(run)) {
      threads.execute(run);
    } else {
      // A former attempt of the job, timed out, still runs here: it would run twice in one process.
      var _ = leases.settle(lease, new Outcome.Released(Duration.ofSeconds(1)));
    }
  }

  @Override
  public void settle(Run run, Outcome outcome) {
    while (!Thread.currentThread().isInterrupted() && !trySettle(run, outcome)) {
      LockSupport.parkNanos(SETTLE_AGAIN.toNanos());
    }
  }

  private boolean trySettle(Run run, Outcome outcome) {
    try {
      write(run);
      var _ = leases.settle(run.lease(), outcome).get();
      return true;
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | RuntimeException away) {
      // The lease is renewed meanwhile, and the same settlement may be sent again.
      log.warn("Cannot settle job {}, will try again: {}", run.id(), away.getMessage());
      return false;
    }
  }

  /** Writes what the handler told of its work and is not written yet. */
  void write(Run run) {
    Report.Unwritten unwritten = run.report().take();
    if (unwritten.progress() != null) {
      leases.progress(run.lease(), unwritten.progress().percent(), unwritten.progress().message());
    }
    if (!unwritten.lines().isEmpty()) {
      leases.log(run.lease(), unwritten.lines());
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
