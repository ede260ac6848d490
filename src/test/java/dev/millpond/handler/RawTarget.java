package dev.millpond.handler;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A target on the loopback interface that does with each connection whatever it likes. */
final class RawTarget implements AutoCloseable {

  /** What is done with a connection. */
  interface Conduct {
    void meet(Socket connection, RawTarget target) throws Exception;
  }

  final AtomicInteger connections = new AtomicInteger();
  final AtomicLong sent = new AtomicLong();

  /** Counted down when the first connection is there. */
  final CountDownLatch met = new CountDownLatch(1);

  /** Counted down when the first connection is over. */
  final CountDownLatch left = new CountDownLatch(1);

  private final Thread acceptor;
  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

  RawTarget(Conduct conduct) throws IOException {
    acceptor =
        Thread.startVirtualThread(
            () -> {
              while (!server.isClosed()) {
                accept(conduct);
              }
            });
  }

  private void accept(Conduct conduct) {
    try {
      Socket connection = server.accept();
      connections.incrementAndGet();
      Thread.startVirtualThread(() -> meet(conduct, connection));
    } catch (IOException closed) {
      // The test is over.
    }
  }

  private void meet(Conduct conduct, Socket connection) {
    try (connection) {
      met.countDown();
      conduct.meet(connection, this);
    } catch (Exception gone) {
      // The caller left.
    } finally {
      left.countDown();
    }
  }

  String url() {
    return "http://127.0.0.1:" + server.getLocalPort() + "/hook";
  }

  /** Reads until the caller leaves. */
  static void hang(Socket connection) throws IOException {
    connection.getInputStream().readAllBytes();
  }

  /** Reads the head of a request. */
  static String readHead(Socket connection) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = connection.getInputStream().read();
      if (next < 0) {
        throw new IOException("no request came");
      }
      head.append((char) next);
    }
    return head.toString();
  }

  void send(Socket connection, String text) throws IOException {
    send(connection, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  void send(Socket connection, byte[] bytes) throws IOException {
    OutputStream out = connection.getOutputStream();
    out.write(bytes);
    out.flush();
    sent.addAndGet(bytes.length);
  }

  @Override
  public void close() {
    try {
      server.close();
      // The port takes connections until the accept that is under way has noticed.
      acceptor.join();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }
}
