package dev.millpond.handler;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@code demo.sleep}: waits, and reports progress at each step, to see a job running. */
@Component
final class DemoSleep implements JobHandler<DemoSleep.Payload> {

  /**
   * @param duration of the whole, up to a day
   * @param steps in how many equal parts; 1 by default
   */
  record Payload(
      @NotNull
          @DurationMin(message = "must not be negative")
          @DurationMax(days = 1, message = "must be at most P1D")
          Duration duration,
      @Min(1) @Max(10_000) Integer steps) {

    Payload {
      steps = steps == null ? 1 : steps;
    }
  }

  @Override
  public String type() {
    return "demo.sleep";
  }

  @Override
  public Class<Payload> payloadType() {
    return Payload.class;
  }

  @Override
  public @Nullable Object handle(Payload payload, JobContext context) throws InterruptedException {
    int steps = payload.steps();
    Duration step = payload.duration().dividedBy(steps);
    for (int done = 1; done <= steps; done++) {
      Thread.sleep(step);
      context.progress(100 * done / steps, "%d of %d steps".formatted(done, steps));
    }
    return null;
  }
}
