package dev.millpond.callback;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A target of callbacks on the loopback interface. The path says what it answers, one status after
 * another and the last one for ever: {@code /503,204/name}; {@code /hang} never does.
 */
final class Receiver implements AutoCloseable {

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final List<Got> got = new CopyOnWriteArrayList<>();
  private final HttpServer server;

  /** What arrived. */
  record Got(String path, Map<String, List<String>> headers, String body) {

    String header(String name) {
      return headers.getOrDefault(name, List.of("")).getFirst();
    }
  }

  Receiver() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      int before = calls(path).size();
      got.add(new Got(path, Map.copyOf(exchange.getRequestHeaders()), body));
      if (path.startsWith("/hang")) {
        closed.await();
      }
      String[] statuses = path.split("/", -1)[1].split(",", -1);
      if (path.endsWith("/later")) {
        exchange.getResponseHeaders().add("Retry-After", "3600");
      }
      exchange.sendResponseHeaders(
          Integer.parseInt(statuses[Math.min(before, statuses.length - 1)]), -1);
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  /** The address of a path, by the name of the host. */
  String url(String host, String path) {
    return "http://" + host + ":" + server.getAddress().getPort() + path;
  }

  String url(String path) {
    return url("127.0.0.1", path);
  }

  /** The calls of a path, in order. */
  List<Got> calls(String path) {
    return got.stream().filter(one -> one.path().equals(path)).toList();
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
