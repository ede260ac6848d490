package dev.millpond.worker;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.stereotype.Component;

/**
 * Ends attempts whose time is over. It looks every tenth of a second while something runs, and not
 * at all at rest; a timer for each run would cost short jobs more than they do.
 */
@Component
class Timeouts {

  private static final Duration LOOK = Duration.ofMillis(100);

  private final TaskScheduler scheduler;
  private final Slots slots;

  /** True while the next look is due; set by whoever arms it, cleared by the look. */
  private final AtomicBoolean armed = new AtomicBoolean();

  Timeouts(TaskScheduler scheduler, Slots slots) {
    this.scheduler = scheduler;
    this.slots = slots;
  }

  /** To be called when a run has taken its slot, so that a look which is ending here sees it. */
  void watch() {
    if (armed.compareAndSet(false, true)) {
      try {
        var _ = scheduler.schedule(this::look, scheduler.getClock().instant().plus(LOOK));
      } catch (TaskRejectedException stopped) {
        armed.set(false);
      }
    }
  }

  private void look() {
    armed.set(false);
    if (!slots.runs().isEmpty()) {
      watch();
    }
    slots.runs().forEach(Run::timeOutIfDue);
  }
}
