package dev.millpond.faults;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP server outside the service, for the effects of its jobs: each call is numbered, takes as
 * many milliseconds as its path says, and answers its number, so that a job's result tells which of
 * its runs was recorded.
 */
final class Effects implements AutoCloseable {

  private static final int BACKLOG = 1_000;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger number = new AtomicInteger();
  private final History history;
  private final HttpServer server;

  Effects(History history) throws IOException {
    this.history = history;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  private void answer(HttpExchange exchange) throws IOException {
    UUID job = UUID.fromString(exchange.getRequestHeaders().getFirst("Millpond-Job-Id"));
    int attempt = Integer.parseInt(exchange.getRequestHeaders().getFirst("Millpond-Attempt"));
    int call = number.incrementAndGet();
    double began = history.now();
    @Nullable Double ended = null;
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      Thread.sleep(Long.parseLong(exchange.getRequestURI().getPath().substring(1)));
      byte[] body = "effect %d".formatted(call).getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("Content-Type", "text/plain");
      // Whoever reads the answer may act on it before this thread goes on.
      ended = history.now();
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    } finally {
      history.add(new Event.Effect(began, ended, job, attempt, call));
    }
  }

  /** The members of a job's JSON that calls here, without the braces. */
  String job(long millis) {
    return "\"type\": \"http.request\", \"payload\": {\"method\": \"GET\", \"url\": \"http://127.0.0.1:%d/%d\"}"
        .formatted(server.getAddress().getPort(), millis);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
