package dev.millpond.rest;

import static org.awaitility.Awaitility.await;

import dev.millpond.handler.JobContext;
import dev.millpond.handler.JobHandler;
import dev.millpond.job.Jobs;
import dev.millpond.lease.CancelRequested;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.springframework.context.event.EventListener;

/**
 * Jobs that run until a test lets them end, so that a state that is looked at has not moved on. An
 * interrupt is heeded only then.
 */
final class Held implements JobHandler<Held.Nothing> {

  /** Its payload. */
  record Nothing() {}

  private final Jobs jobs;
  private final Map<UUID, CountDownLatch> gates = new ConcurrentHashMap<>();
  private final Set<UUID> swift = ConcurrentHashMap.newKeySet();

  Held(Jobs jobs) {
    this.jobs = jobs;
  }

  @Override
  public String type() {
    return "test.held";
  }

  @Override
  public Class<Nothing> payloadType() {
    return Nothing.class;
  }

  @Override
  public @Nullable Object handle(Nothing payload, JobContext context) throws InterruptedException {
    context.progress(40, "held");
    boolean interrupted = false;
    while (gate(context.id()).getCount() > 0) {
      try {
        gate(context.id()).await();
      } catch (InterruptedException asked) {
        interrupted = true;
      }
    }
    if (interrupted) {
      throw new InterruptedException("heeded late");
    }
    context.progress(100, "let go");
    return null;
  }

  private CountDownLatch gate(UUID id) {
    return gates.computeIfAbsent(id, job -> new CountDownLatch(1));
  }

  /** Lets a job end. */
  void release(String id) {
    gate(UUID.fromString(id)).countDown();
  }

  /** Lets a job end once it is asked to cancel, before whoever asked can look at it again. */
  void releaseWhenCancelled(String id) {
    swift.add(UUID.fromString(id));
  }

  @EventListener
  void on(CancelRequested request) {
    if (swift.contains(request.id())) {
      gate(request.id()).countDown();
      await().until(() -> jobs.find(request.id()).orElseThrow().state().isFinal());
    }
  }
}
