package dev.millpond.worker;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * The graceful stop: not ready, no more claims, the grace for what runs, then everything left is
 * given back. It comes before all other stops, so that status requests are answered and leases
 * renewed meanwhile.
 */
@Component
class Shutdown implements SmartLifecycle {

  /** How long interrupted handlers have to end before their jobs are given back anyway. */
  private static final Duration INTERRUPTED = Duration.ofMillis(500);

  /** How long the last settlements may take. */
  private static final Duration SETTLEMENT = Duration.ofMillis(700);

  private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

  private final WorkerLoop loop;
  private final Slots slots;
  private final Duration grace;
  private final ApplicationContext context;

  private volatile boolean running;

  Shutdown(WorkerLoop loop, Slots slots, WorkerProperties properties, ApplicationContext context) {
    this.loop = loop;
    this.slots = slots;
    this.grace = properties.grace();
    this.context = context;
  }

  /** At the start of the service, and when a stopped context is started again. */
  @Override
  public void start() {
    loop.resume();
    running = true;
  }

  @Override
  public void stop() {
    AvailabilityChangeEvent.publish(context, ReadinessState.REFUSING_TRAFFIC);
    loop.stop();
    try {
      finishOrGiveBack();
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    running = false;
  }

  private void finishOrGiveBack() throws InterruptedException {
    if (!slots.awaitEmpty(grace)) {
      log.info("Gives back {} jobs that did not finish within {}", slots.runs().size(), grace);
      slots.runs().forEach(Run::stop);
      if (!slots.awaitEmpty(INTERRUPTED)) {
        slots.runs().forEach(Run::giveBack);
        var _ = slots.awaitEmpty(SETTLEMENT);
      }
    }
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  @Override
  public int getPhase() {
    return Integer.MAX_VALUE;
  }
}
