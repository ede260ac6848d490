package dev.millpond.queue;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A change of a queue's settings: each is kept, reset to the default, or set. */
public record QueueChange(
    Setting<Integer> cap,
    Setting<Integer> concurrency,
    Setting<Duration> maxWait,
    Setting<Workers> workers,
    Setting<StartRate> rateLimit,
    Setting<Duration> retention) {

  /**
   * What a change says of one setting.
   *
   * @param <T> the setting's type
   */
  public sealed interface Setting<T> {

    /** Not named: stays as it is. */
    record Keep<T>() implements Setting<T> {}

    /** Set; null resets it to the default. */
    record Set<T>(@Nullable T set) implements Setting<T> {}

    /** Whether it is set or reset. */
    default boolean isSet() {
      return this instanceof Set<T>;
    }

    /** What it is set to; null if it is reset, or kept. */
    default @Nullable T value() {
      return switch (this) {
        case Keep<T>() -> null;
        case Set<T>(T chosen) -> chosen;
      };
    }
  }
}
