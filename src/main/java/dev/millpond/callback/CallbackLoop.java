package dev.millpond.callback;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.summingInt;

import dev.millpond.handler.HttpProperties;
import dev.millpond.lease.LeaseProperties;
import dev.millpond.queue.CallbacksDue;
import dev.millpond.queue.Pulse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.EventListener;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * Claims what is due and has it called, a bounded number at once and to one host, apart from the
 * slots of jobs. Woken by the end of a job, of a call, or of a short wait; what no hint told of is
 * found at the next sweep.
 */
@Component
class CallbackLoop implements SmartLifecycle {

  private static final int MOST = 32;

  /** A target that hangs holds no more. */
  private static final int MOST_TO_A_HOST = 8;

  /** How long the stop waits for calls that are nearly over. */
  private static final Duration GRACE = Duration.ofMillis(500);

  private static final Logger log = LoggerFactory.getLogger(CallbackLoop.class);

  private final CallbackSql sql;
  private final Caller caller;
  private final Pulse pulse;
  private final TaskScheduler scheduler;
  private final LeaseProperties lease;
  private final int most;
  private final int mostToAHost;

  /** Those that are being made; put in by the turn, taken out by themselves. */
  private final Map<Due, Thread> calls = new ConcurrentHashMap<>();

  /** True while a turn is due that somebody was woken for. */
  private final AtomicBoolean woken = new AtomicBoolean();

  /** Guarded by this. */
  private boolean stopped;

  CallbackLoop(
      CallbackSql sql,
      Caller caller,
      Pulse pulse,
      TaskScheduler scheduler,
      LeaseProperties lease,
      HttpProperties http) {
    this.sql = sql;
    this.caller = caller;
    this.pulse = pulse;
    this.scheduler = scheduler;
    this.lease = lease;
    // No more than there are connections, since to wait for one is part of a call's time.
    this.most = Math.min(MOST, http.maxConnections());
    this.mostToAHost = Math.min(MOST_TO_A_HOST, http.maxConnectionsPerHost());
  }

  @EventListener
  void on(CallbacksDue due) {
    wake();
  }

  private void wake() {
    if (woken.compareAndSet(false, true)) {
      schedule(this::turn, Duration.ZERO);
    }
  }

  private void schedule(Runnable what, Duration in) {
    try {
      var _ = scheduler.schedule(what, scheduler.getClock().instant().plus(in));
    } catch (TaskRejectedException stopping) {
      log.debug("No more callbacks, the service stops");
    }
  }

  @Scheduled(fixedDelayString = "${millpond.lease.sweep}")
  void sweep() {
    if (pulse.mayCallBack()) {
      turn();
    }
  }

  private void turn() {
    // First, so that what becomes due from here on brings another turn.
    woken.set(false);
    claim();
  }

  private synchronized void claim() {
    int free = most - calls.size();
    if (!stopped && free > 0) {
      Map<String, Integer> busy =
          calls.keySet().stream().collect(groupingBy(Due::host, summingInt(_ -> 1)));
      sql.claim(lease.duration(), free, mostToAHost, busy).forEach(this::start);
    }
  }

  private void start(Due due) {
    Thread thread = Thread.ofVirtual().name("callback-" + due.id()).unstarted(() -> run(due));
    calls.put(due, thread);
    thread.start();
  }

  private void run(Due due) {
    MDC.put("job", due.id().toString());
    try {
      // A longer wait ends with a sweep.
      caller
          .call(due)
          .filter(wait -> wait.compareTo(lease.sweep()) < 0)
          .ifPresent(wait -> schedule(this::wake, wait));
    } catch (InterruptedException stop) {
      log.debug("The callback of job {} is given back", due.id());
    } catch (DataAccessException | TransactionException away) {
      log.warn(
          "The callback of job {} is made again after its lease: {}", due.id(), away.getMessage());
    } finally {
      calls.remove(due);
      wake();
    }
  }

  @Override
  public synchronized void start() {
    stopped = false;
  }

  /** Gives back what does not end soon: it is called again by another node, or after the start. */
  @Override
  public void stop() {
    synchronized (this) {
      stopped = true;
    }
    try {
      Set<Due> left = unfinished();
      if (!left.isEmpty()) {
        log.info("Gives back {} callbacks that are not over", left.size());
        sql.giveBack(left);
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    } catch (DataAccessException | TransactionException away) {
      log.warn("Cannot give callbacks back, they wait for their lease: {}", away.getMessage());
    }
  }

  /** What is not over after the grace, interrupted. */
  private Set<Due> unfinished() throws InterruptedException {
    long end = System.nanoTime() + GRACE.toNanos();
    for (Thread call : calls.values()) {
      boolean _ = call.join(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }
    Set<Due> left = Set.copyOf(calls.keySet());
    calls.values().forEach(Thread::interrupt);
    return left;
  }

  /** After the web server, whose requests still end jobs, and before the scheduler. */
  @Override
  public int getPhase() {
    return 1;
  }

  @Override
  public synchronized boolean isRunning() {
    return !stopped;
  }
}
