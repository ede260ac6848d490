package dev.millpond.handler;

import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** {@code demo.fail}: fails its first attempts, to see retries and dead letters. */
@Component
final class DemoFail implements JobHandler<DemoFail.Payload> {

  /**
   * @param times how many attempts fail, from the first
   * @param permanent whether they fail for good; no by default
   */
  record Payload(@Min(0) int times, Boolean permanent) {

    Payload {
      permanent = permanent != null && permanent;
    }
  }

  @Override
  public String type() {
    return "demo.fail";
  }

  @Override
  public Class<Payload> payloadType() {
    return Payload.class;
  }

  @Override
  public @Nullable Object handle(Payload payload, JobContext context)
      throws PermanentFailure, RetryLater {
    if (context.attempt() > payload.times()) {
      return null;
    }
    String message = "attempt %d fails as it was told to".formatted(context.attempt());
    if (payload.permanent()) {
      throw new PermanentFailure("demo-failure", message);
    }
    throw new RetryLater("demo-failure", message);
  }
}
