package dev.millpond.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** A way to a server on loopback that can be cut, or go dead without a sign. */
final class TcpProxy implements AutoCloseable {

  /** How often who is held up looks whether he may go on. */
  private static final long LOOK_NANOS = 10_000_000;

  private final ServerSocket listener;
  private final int target;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  /** Nothing passes, and nobody is told. */
  private volatile boolean dead;

  private volatile boolean refusing;

  TcpProxy(int target) {
    this.target = target;
    try {
      listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** From now on nothing passes and no connection ends: a cable is out. */
  void goDead() {
    dead = true;
  }

  /** Ends all connections and lets no new one in. */
  void cut() {
    refusing = true;
    open.forEach(TcpProxy::end);
  }

  /** All is as it was; what was held up goes on. */
  void heal() {
    dead = false;
    refusing = false;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        if (refusing) {
          end(client);
        } else {
          connect(client);
        }
      } catch (IOException closed) {
        // Ends the loop, or concerned one connection only.
      }
    }
  }

  private void connect(Socket client) {
    Socket server = new Socket();
    try {
      server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target), 2_000);
    } catch (IOException away) {
      end(client);
      return;
    }
    open.add(client);
    open.add(server);
    Thread.ofVirtual().start(() -> pass(client, server));
    Thread.ofVirtual().start(() -> pass(server, client));
  }

  private void pass(Socket from, Socket to) {
    try (from;
        to;
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      copy(in, out);
    } catch (IOException broken) {
      // Both ends are closed: so it is for the other end, too.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private void copy(InputStream in, OutputStream out) throws IOException {
    byte[] buffer = new byte[16_384];
    try {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        awaitAlive();
        out.write(buffer, 0, read);
      }
    } finally {
      // Nor does one end hear that the other has gone.
      awaitAlive();
    }
  }

  private void awaitAlive() {
    while (dead) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private static void end(Socket socket) {
    try {
      // A reset, not an orderly end.
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException already) {
      // Closed by its other side.
    }
  }

  @Override
  public void close() throws IOException {
    dead = false;
    listener.close();
    cut();
  }
}
