package dev.millpond.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Sends requests, and measures how long they take. */
final class OpenLoop {

  private static final long HIGHEST_MICROS = Duration.ofMinutes(1).toNanos() / 1_000;

  private OpenLoop() {}

  /** A request; it throws if it was not answered as it should. */
  interface Request {
    void send(int number) throws IOException;
  }

  /**
   * At a fixed rate, whatever the answers do. A request that had to wait for one before it is
   * measured from the moment at which it should have been sent.
   *
   * @param connections how many may be under way at once
   * @return latencies in microseconds
   */
  static Histogram atRate(double perSecond, int count, int connections, Request request) {
    long interval = Math.round(1e9 / perSecond);
    long begin = System.nanoTime() + Duration.ofMillis(50).toNanos();
    AtomicInteger next = new AtomicInteger();
    return run(
        connections,
        histogram -> {
          for (int n = next.getAndIncrement(); n < count; n = next.getAndIncrement()) {
            long intended = begin + n * interval;
            for (long left = intended - System.nanoTime();
                left > 0;
                left = intended - System.nanoTime()) {
              LockSupport.parkNanos(left);
            }
            request.send(n);
            histogram.recordValue((System.nanoTime() - intended) / 1_000);
          }
        });
  }

  /**
   * As fast as the answers come, for throughput. The latencies are closed loop: they hide what a
   * client would wait that does not hold back.
   */
  static Histogram asFastAsPossible(Duration length, int connections, Request request) {
    long end = System.nanoTime() + length.toNanos();
    AtomicInteger next = new AtomicInteger();
    return run(
        connections,
        histogram -> {
          for (long sent = System.nanoTime(); sent - end < 0; sent = System.nanoTime()) {
            request.send(next.getAndIncrement());
            histogram.recordValue((System.nanoTime() - sent) / 1_000);
          }
        });
  }

  /** A request that knows when it should have gone out, as a {@code nanoTime}. */
  interface Timed {
    void send(int number, long intended) throws IOException;
  }

  /**
   * At a fixed rate, each request on a thread of its own: the service cannot slow the rate down,
   * however long its answers take.
   */
  static void unslowed(double perSecond, Duration length, Timed request) {
    long interval = Math.round(1e9 / perSecond);
    int count = (int) (length.toNanos() / interval);
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      long begin = System.nanoTime();
      for (int n = 0; n < count; n++) {
        int number = n;
        long intended = begin + n * interval;
        for (long left = intended - System.nanoTime();
            left > 0;
            left = intended - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        running.add(
            threads.submit(
                () -> {
                  request.send(number, intended);
                  return null;
                }));
      }
    }
    for (Future<?> future : running) {
      if (future.state() == Future.State.FAILED) {
        throw new IllegalStateException("a request failed", future.exceptionNow());
      }
    }
  }

  private interface Client {
    void run(Histogram histogram) throws IOException;
  }

  private static Histogram run(int clients, Client client) {
    Histogram histogram = new ConcurrentHistogram(HIGHEST_MICROS, 3);
    try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
      List<Future<?>> running = new ArrayList<>();
      for (int n = 0; n < clients; n++) {
        running.add(
            threads.submit(
                () -> {
                  client.run(histogram);
                  return null;
                }));
      }
      for (Future<?> future : running) {
        future.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a client failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    return histogram;
  }

  /** A percentile in milliseconds. */
  static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1_000.0;
  }
}
