package dev.millpond.queue;

import org.jspecify.annotations.Nullable;

/** A change of a queue's settings: each is kept, reset to the default, or set. */
public record QueueChange(Setting<Integer> cap, Setting<Integer> concurrency) {

  /**
   * What a change says of one setting.
   *
   * @param <T> the setting's type
   */
  public sealed interface Setting<T> {

    /** Not named: stays as it is. */
    record Keep<T>() implements Setting<T> {}

    /** Set; null resets it to the default. */
    record Set<T>(@Nullable T value) implements Setting<T> {}

    /** The value after the change. */
    default @Nullable T orKeep(@Nullable T current) {
      return switch (this) {
        case Keep<T>() -> current;
        case Set<T>(T value) -> value;
      };
    }
  }
}
