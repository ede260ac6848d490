package dev.millpond.rest;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Bounds the bytes of the bodies that all requests hold at once. A virtual thread costs nothing, so
 * without it as many large batches would be in memory as there are connections. Bytes count when
 * they arrive, not when they are announced: to take up the room, a client has to send them.
 */
@Component
final class BodyRoom extends OncePerRequestFilter {

  /** Four of the largest batches. */
  static final int BYTES = 4 * RequestBodies.BATCH;

  private static final String SHARE = BodyRoom.class.getName();
  private static final long SOON_SECONDS = 2;

  private final Semaphore room = new Semaphore(BYTES);

  /** What one request holds; used by one thread at a time. */
  private final class Share implements AsyncListener {

    private int bytes;

    private boolean take(int more) {
      boolean taken = room.tryAcquire(more);
      bytes += taken ? more : 0;
      return taken;
    }

    private boolean isHalfFree() {
      return room.availablePermits() >= BYTES / 2;
    }

    private void release() {
      room.release(bytes);
      bytes = 0;
    }

    @Override
    public void onComplete(AsyncEvent answered) {
      release();
    }

    @Override
    public void onTimeout(AsyncEvent late) {
      // It is completed next, as after an error.
    }

    @Override
    public void onError(AsyncEvent failed) {
      // It is completed next.
    }

    @Override
    public void onStartAsync(AsyncEvent again) {
      again.getAsyncContext().addListener(this);
    }
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    Share share = new Share();
    request.setAttribute(SHARE, share);
    try {
      chain.doFilter(request, response);
    } finally {
      if (isAsyncStarted(request)) {
        request.getAsyncContext().addListener(share);
      } else {
        share.release();
      }
    }
  }

  /**
   * Whether a request may keep its body while it waits for something else: those that do leave half
   * of the room to the others.
   */
  static boolean isHalfFree(HttpServletRequest request) {
    return request.getAttribute(SHARE) instanceof Share share && share.isHalfFree();
  }

  /**
   * Takes room for bytes that have arrived, until the request is answered.
   *
   * @throws ProblemException {@code overloaded}, and the connection closes
   */
  static void take(HttpServletRequest request, int bytes) {
    if (request.getAttribute(SHARE) instanceof Share share && !share.take(bytes)) {
      throw new ProblemException(
          ProblemDocument.of(
                  Problem.OVERLOADED, "The bodies of other requests take up the room for this one.")
              .retryAfter(SOON_SECONDS)
              .closing());
    }
  }
}
