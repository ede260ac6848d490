package dev.millpond.worker;

import dev.millpond.dependency.Dependencies;
import dev.millpond.handler.Handlers;
import dev.millpond.handler.JobContext;
import dev.millpond.handler.JobHandler;
import dev.millpond.handler.PermanentFailure;
import dev.millpond.handler.RetryLater;
import dev.millpond.handler.Snooze;
import dev.millpond.job.JobError;
import dev.millpond.job.Outcome;
import dev.millpond.job.Predecessor;
import dev.millpond.lease.Lease;
import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * One execution of a job, top to bottom: resolve the handler, call it, turn what it did into an
 * outcome, settle, free the slot. The outcome is decided once: by the handler's end, or before it
 * by a timeout, a lost lease or the stop of the service.
 */
final class Run implements Runnable, JobContext {

  private static final Logger log = LoggerFactory.getLogger(Run.class);
  private static final Outcome GIVEN_BACK = new Outcome.Released(Duration.ZERO);

  private final Lease lease;
  private final Handlers handlers;
  private final Report report;
  private final Settler settler;
  private final Dependencies dependencies;
  private final long startedAt = System.nanoTime();

  /** Set by whoever decides first; after that the handler's end changes nothing. */
  private final AtomicReference<@Nullable Decision> decided = new AtomicReference<>();

  /** Written by a cancel request, read by the handler. */
  private volatile boolean cancelRequested;

  /** Written when the service stops: a failure after that is the stop's and not the handler's. */
  private volatile boolean stopping;

  /**
   * The thread while the handler runs on it: nothing else of the run is ever interrupted. Guarded
   * by this.
   */
  private @Nullable Thread handling;

  /** Why a run needs no further settlement from its handler's end. */
  private enum Decision {
    SETTLED,
    LOST
  }

  /** Makes an outcome durable, and frees the slot when the run is over. */
  interface Settler {

    /** Settles; returns when the settlement is committed, lost, or the service stops. */
    void settle(Run run, Outcome outcome);

    /** The run is over and its thread is about to end. */
    void over(Run run, Duration execution);
  }

  Run(Lease lease, Handlers handlers, Report report, Settler settler, Dependencies dependencies) {
    this.lease = lease;
    this.handlers = handlers;
    this.report = report;
    this.settler = settler;
    this.dependencies = dependencies;
  }

  @Override
  public void run() {
    MDC.put("job", lease.id().toString());
    MDC.put("queue", lease.queue().value());
    try {
      Outcome outcome = execute();
      if (decided.compareAndSet(null, Decision.SETTLED)) {
        settler.settle(this, outcome);
      }
    } finally {
      settler.over(this, elapsed());
      MDC.clear();
    }
  }

  /** The only place where what a handler did becomes an outcome. */
  private Outcome execute() {
    try {
      JobHandler<?> handler =
          handlers
              .find(lease.type())
              .orElseThrow(
                  () -> new PermanentFailure("unknown-type", "no handler for " + lease.type()));
      return new Outcome.Succeeded(Handlers.write(call(handler)));
    } catch (PermanentFailure failure) {
      return stopped(failed(failure.type(), failure, true, null));
    } catch (Snooze snooze) {
      return stopped(new Outcome.Released(snooze.delay()));
    } catch (RetryLater failure) {
      return stopped(failed(failure.type(), failure, false, failure.delay()));
    } catch (Throwable failure) {
      if (!wasAskedToStop()) {
        log.warn("Attempt {} of job {} failed", lease.attempt(), lease.id(), failure);
      }
      return stopped(failed("handler-failed", failure, false, null));
    }
  }

  private <P> @Nullable Object call(JobHandler<P> handler) throws Exception {
    P payload = handler.payloadType().cast(handlers.read(lease.type(), lease.payload()));
    try {
      synchronized (this) {
        handling = Thread.currentThread();
      }
      if (wasAskedToStop()) {
        throw new InterruptedException("asked to stop before it started");
      }
      return handler.handle(payload, this);
    } finally {
      synchronized (this) {
        handling = null;
        // An interrupt that came too late for the handler must not hit the settlement.
        var _ = Thread.interrupted();
      }
    }
  }

  private boolean wasAskedToStop() {
    return cancelRequested || stopping || decided.get() != null;
  }

  private Outcome stopped(Outcome failure) {
    if (cancelRequested) {
      return new Outcome.Cancelled();
    }
    return stopping ? GIVEN_BACK : failure;
  }

  private static Outcome failed(
      String type, Throwable failure, boolean permanent, @Nullable Duration retryIn) {
    String message = failure.getMessage();
    return new Outcome.Failed(
        new JobError(type, message == null ? failure.getClass().getSimpleName() : message),
        permanent,
        retryIn);
  }

  /** Settles the job as timed out if its time is over, and tells the handler to stop. */
  void timeOutIfDue() {
    if (elapsed().compareTo(lease.timeout()) > 0) {
      JobError error =
          new JobError(JobError.TIMEOUT, "the attempt took longer than " + lease.timeout());
      stopWith(new Outcome.Failed(error, false, null));
    }
  }

  /**
   * Asks the handler to stop because the service does; its job is given back, and the attempt does
   * not count.
   */
  void stop() {
    stopping = true;
    interrupt();
  }

  /** Gives the job back although the handler has not stopped. */
  void giveBack() {
    stopWith(GIVEN_BACK);
  }

  private void stopWith(Outcome outcome) {
    if (decided.compareAndSet(null, Decision.SETTLED)) {
      interrupt();
      Thread.startVirtualThread(() -> settler.settle(this, outcome));
    }
  }

  /**
   * The lease is another worker's now: the handler is told to stop, and nothing will be settled.
   *
   * @return false if the job was decided before
   */
  boolean lose() {
    boolean lost = decided.compareAndSet(null, Decision.LOST);
    if (lost) {
      log.warn(
          "Lost the lease of job {}: it took longer to renew than the lease lasts", lease.id());
      interrupt();
    }
    return lost;
  }

  /** The job is asked to cancel: the handler decides how it ends. */
  void cancel() {
    cancelRequested = true;
    interrupt();
  }

  private synchronized void interrupt() {
    if (handling != null) {
      handling.interrupt();
    }
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startedAt);
  }

  /** Whether its lease is to be renewed. */
  boolean isHeld() {
    return decided.get() != Decision.LOST;
  }

  /** Whether its job was decided without its handler's end. */
  boolean isStuck() {
    return decided.get() != null && handling();
  }

  private synchronized boolean handling() {
    return handling != null;
  }

  Lease lease() {
    return lease;
  }

  QueueName queue() {
    return lease.queue();
  }

  Report report() {
    return report;
  }

  @Override
  public UUID id() {
    return lease.id();
  }

  @Override
  public int attempt() {
    return lease.attempt();
  }

  @Override
  public @Nullable String traceparent() {
    return lease.traceparent();
  }

  @Override
  public Stream<Predecessor> predecessors() {
    return dependencies.predecessors(lease.id());
  }

  @Override
  public void progress(int percent, String message) {
    report.progress(percent, message);
  }

  @Override
  public void log(String line) {
    report.log(line);
  }

  @Override
  public boolean cancelRequested() {
    return cancelRequested;
  }
}
