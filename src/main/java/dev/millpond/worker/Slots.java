package dev.millpond.worker;

import dev.millpond.queue.QueueName;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.stereotype.Component;

/**
 * The places in which jobs run on this node. A run holds its slot until its thread ends, even if
 * its job was settled before, so that handlers which do not stop cannot pile up.
 */
@Component
class Slots {

  private final int size;

  /**
   * By job: a job has one run at most in a process. Taken by the worker loop, freed by the runs.
   */
  private final Map<UUID, Run> runs = new ConcurrentHashMap<>();

  /** Written by the runs, read by the worker loop. */
  private final AtomicInteger settling = new AtomicInteger();

  Slots(WorkerProperties properties, MeterRegistry meters) {
    this.size = properties.slots();
    Gauge.builder("millpond.slots", this, slots -> slots.size)
        .description("Jobs that may run at once on this node")
        .register(meters);
    Gauge.builder("millpond.slots.used", runs, Map::size)
        .description("Jobs that run on this node")
        .register(meters);
    Gauge.builder("millpond.slots.stuck", this, slots -> slots.stuck())
        .description("Runs that were settled, timed out for example, and whose handler still runs")
        .register(meters);
  }

  int free() {
    return size - runs.size();
  }

  /** Runs whose outcomes are being written: most of their slots are free in a moment. */
  int settling() {
    return settling.get();
  }

  void beginSettling() {
    settling.incrementAndGet();
  }

  void endSettling() {
    settling.decrementAndGet();
  }

  /**
   * How many slots a queue may take now. While others have work it gets an even part of the free
   * ones, and never the last quarter of all.
   *
   * @param queuesWithWork how many queues have work, this one included
   */
  int share(QueueName queue, int queuesWithWork) {
    int free = free();
    if (queuesWithWork <= 1) {
      return free;
    }
    long held = runs.values().stream().filter(run -> run.queue().equals(queue)).count();
    int most = size - size / 4 - (int) held;
    int even = (free + queuesWithWork - 1) / queuesWithWork;
    return Math.clamp(even, 0, Math.clamp(most, 0, free));
  }

  /** Takes a slot; false if a run of the same job still lives in this process. */
  boolean take(Run run) {
    return runs.putIfAbsent(run.lease().id(), run) == null;
  }

  void free(Run run) {
    runs.remove(run.lease().id(), run);
    if (runs.isEmpty()) {
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /** Waits until nothing runs; false if something still does after the given time. */
  synchronized boolean awaitEmpty(Duration atMost) throws InterruptedException {
    long end = System.nanoTime() + atMost.toNanos();
    long left = atMost.toMillis();
    while (!runs.isEmpty() && left > 0) {
      wait(left);
      left = Duration.ofNanos(end - System.nanoTime()).toMillis();
    }
    return runs.isEmpty();
  }

  Optional<Run> find(UUID job) {
    return Optional.ofNullable(runs.get(job));
  }

  Collection<Run> runs() {
    return runs.values();
  }

  boolean hasSuspect() {
    return runs.values().stream().anyMatch(run -> run.lease().isSuspect());
  }

  private double stuck() {
    return runs.values().stream().filter(Run::isStuck).count();
  }
}
