package dev.millpond.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * An HTTP server outside the system, for effects: it remembers which job called it how often.
 * {@code /} answers at once, {@code /slow} after 100 ms, {@code /held} when {@link #release} was
 * called.
 */
public final class Sink implements AutoCloseable {

  private static final int BACKLOG = 1_000;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, List<String>> attempts = new ConcurrentHashMap<>();
  private final CountDownLatch released = new CountDownLatch(1);
  private final HttpServer server;

  public Sink() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      String job = exchange.getRequestHeaders().getFirst("Millpond-Job-Id");
      String attempt = exchange.getRequestHeaders().getFirst("Millpond-Attempt");
      attempts
          .computeIfAbsent(String.valueOf(job), id -> new CopyOnWriteArrayList<>())
          .add(String.valueOf(attempt));
      switch (exchange.getRequestURI().getPath()) {
        case "/slow" -> Thread.sleep(100);
        case "/held" -> {
          boolean _ = released.await(60, TimeUnit.SECONDS);
        }
        default -> {}
      }
      exchange.sendResponseHeaders(204, -1);
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  /** The body of a submit whose job calls the given path here. */
  public String job(String path) {
    return """
    {"type": "http.request", "payload": {"url": "http://127.0.0.1:%d%s", "body": {"n": 1}}}\
    """
        .formatted(server.getAddress().getPort(), path);
  }

  /** The calls of a job, as the attempts that they said they were. */
  public List<String> calls(String jobId) {
    return attempts.getOrDefault(jobId, List.of());
  }

  /** Every job that called, and how often. */
  public Map<String, Integer> counts() {
    Map<String, Integer> counts = new ConcurrentHashMap<>();
    attempts.forEach((job, calls) -> counts.put(job, calls.size()));
    return counts;
  }

  /** Answers all calls to {@code /held}, now and from now on. */
  public void release() {
    released.countDown();
  }

  @Override
  public void close() {
    release();
    server.stop(0);
    threads.shutdownNow();
  }
}
