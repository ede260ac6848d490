package dev.millpond.rest;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.springframework.web.context.request.async.DeferredResult;

/** Answers that are not there yet, and for which no thread waits. */
final class Later {

  private static final Executor THREADS = Thread::startVirtualThread;

  /** The answer ends by itself. */
  private static final long NO_TIMEOUT = 0;

  private Later() {}

  /**
   * An answer for what will be known.
   *
   * @return what a controller returns: the answer itself if it can be made at once
   */
  static <T> Object answer(CompletableFuture<T> known, Function<T, ?> answer) {
    if (known.state() == Future.State.SUCCESS) {
      return answer.apply(known.resultNow());
    }
    DeferredResult<Object> later = new DeferredResult<>(NO_TIMEOUT);
    var _ =
        known
            .<Object>thenApplyAsync(answer, THREADS)
            .whenComplete(
                (made, failure) -> {
                  if (failure == null) {
                    later.setResult(made);
                  } else {
                    later.setErrorResult(failure.getCause() == null ? failure : failure.getCause());
                  }
                });
    return later;
  }
}
