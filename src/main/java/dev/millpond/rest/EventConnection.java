package dev.millpond.rest;

import jakarta.servlet.http.WebConnection;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.locks.Lock;
import org.apache.coyote.http11.upgrade.InternalHttpUpgradeHandler;
import org.apache.tomcat.util.net.AbstractEndpoint.Handler.SocketState;
import org.apache.tomcat.util.net.SSLSupport;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * The connection of an event stream, once the head of the answer is sent: the body goes on until it
 * is closed. Tomcat hands it over as it does for WebSockets, and takes back all that it needs to
 * read and answer requests, which is a hundred kilobytes; what is left are a socket and its two
 * buffers. It never waits for its client.
 */
public final class EventConnection implements InternalHttpUpgradeHandler {

  /** What a client says is not looked at; it should say nothing. */
  private static final int IGNORED = 512;

  private @Nullable SocketWrapperBase<?> socket;
  private Runnable opened = () -> {};
  private volatile Runnable ready = () -> {};
  private volatile Runnable gone = () -> {};

  /** Whether it is closed as soon as all is sent. */
  private volatile boolean ending;

  /** Whether Tomcat will tell when the client reads again; guarded by the lock. */
  private boolean full;

  /** What is done when it is handed over. */
  void whenOpened(Runnable action) {
    opened = action;
  }

  /** What is done when the client reads again. */
  void whenReady(Runnable action) {
    ready = action;
  }

  /** What is done when it is closed, whoever does it. */
  void whenGone(Runnable action) {
    gone = action;
  }

  @Override
  public void setSocketWrapper(SocketWrapperBase<?> wrapper) {
    socket = wrapper;
  }

  @Override
  public void init(WebConnection connection) {
    opened.run();
  }

  private SocketWrapperBase<?> socket() {
    return Objects.requireNonNull(socket);
  }

  /** What is done to the connection by any thread but Tomcat's, which has this lock already. */
  Lock lock() {
    return socket().getLock();
  }

  /**
   * Whether the client has read so much that more can be sent; if not, {@link #whenReady} tells
   * when it has. Asked once until then, as Tomcat wants it.
   */
  boolean isReady() {
    return !ending && !socket().isClosed() && isWritable();
  }

  private boolean isWritable() {
    full = full || !socket().isReadyForWrite();
    return !full;
  }

  /** Sends without waiting; what the client does not take now goes when it does. */
  void send(byte[] bytes) {
    try {
      socket().write(false, bytes, 0, bytes.length);
      boolean _ = flush();
    } catch (IOException broken) {
      close();
    }
  }

  /** Whether all is sent; if not, Tomcat tells when the client reads again. */
  private boolean flush() throws IOException {
    socket().flush(false);
    return isWritable();
  }

  /** Closes it when all is sent. */
  void end() {
    ending = true;
    if (socket().isClosed() || isWritable()) {
      close();
    }
  }

  /** Closes it. */
  void close() {
    socket().close();
    gone.run();
  }

  @Override
  public SocketState upgradeDispatch(SocketEvent event) {
    try {
      return switch (event) {
        case OPEN_READ -> isThere() ? SocketState.UPGRADED : SocketState.CLOSED;
        case OPEN_WRITE -> write() ? SocketState.UPGRADED : SocketState.CLOSED;
        case STOP, TIMEOUT, DISCONNECT, ERROR, CONNECT_FAIL -> SocketState.CLOSED;
      };
    } catch (IOException broken) {
      return SocketState.CLOSED;
    }
  }

  private boolean isThere() throws IOException {
    return socket().read(false, new byte[IGNORED], 0, IGNORED) >= 0;
  }

  private boolean write() throws IOException {
    full = false;
    boolean sent = flush();
    if (sent && !ending) {
      ready.run();
    }
    return !sent || !ending;
  }

  /** By Tomcat, after it has closed the connection. */
  @Override
  public void destroy() {
    gone.run();
  }

  @Override
  public void timeoutAsync(long now) {
    // It never times out.
  }

  @Override
  public void setSslSupport(SSLSupport support) {
    // Who the client is does not matter any more.
  }

  @Override
  public void pause() {
    // The watches end all streams before.
  }
}
