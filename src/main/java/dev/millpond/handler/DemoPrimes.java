package dev.millpond.handler;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.util.Arrays;
import org.springframework.stereotype.Component;

/** {@code demo.primes}: counts primes, to see a job that keeps a processor busy. */
@Component
final class DemoPrimes implements JobHandler<DemoPrimes.Payload> {

  /** Small enough for a processor's first cache, and counted in less than a millisecond. */
  private static final int SEGMENT = 32 * 1024;

  /**
   * @param upTo the last number looked at; the highest takes some seconds
   */
  record Payload(@Min(0) @Max(1_000_000_000) int upTo) {}

  @Override
  public String type() {
    return "demo.primes";
  }

  @Override
  public Class<Payload> payloadType() {
    return Payload.class;
  }

  @Override
  public Object handle(Payload payload, JobContext context) throws InterruptedException {
    int upTo = payload.upTo();
    int[] divisors = divisors((int) Math.sqrt(upTo));
    int count = 0;
    int percent = 0;
    for (int from = 2; from <= upTo; from += SEGMENT) {
      giveWay();
      int to = Math.min(upTo, from + SEGMENT - 1);
      count += primes(from, to, divisors);
      int reached = (int) (100L * to / upTo);
      if (reached > percent) {
        percent = reached;
        context.progress(percent, "%,d primes up to %,d".formatted(count, to));
      }
    }
    return count;
  }

  /** A virtual thread that only computes would keep its carrier from all others. */
  @SuppressWarnings(
      "ThreadPriorityCheck") // fairness between virtual threads, nothing is waited for
  private static void giveWay() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted while counting primes");
    }
    Thread.yield();
  }

  /** The sieve of Eratosthenes, over one segment of the numbers. */
  private static int primes(int from, int to, int[] divisors) {
    boolean[] composite = new boolean[to - from + 1];
    for (int divisor : divisors) {
      long first = Math.max((long) divisor * divisor, (from + divisor - 1L) / divisor * divisor);
      for (long multiple = first; multiple <= to; multiple += divisor) {
        composite[(int) (multiple - from)] = true;
      }
    }
    int count = 0;
    for (boolean divisible : composite) {
      count += divisible ? 0 : 1;
    }
    return count;
  }

  /** All primes up to a small bound, by trial. */
  private static int[] divisors(int upTo) {
    int[] found = new int[upTo];
    int count = 0;
    for (int candidate = 2; candidate <= upTo; candidate++) {
      if (isPrime(candidate, found, count)) {
        found[count++] = candidate;
      }
    }
    return Arrays.copyOf(found, count);
  }

  private static boolean isPrime(int candidate, int[] primes, int count) {
    for (int i = 0; i < count && primes[i] * primes[i] <= candidate; i++) {
      if (candidate % primes[i] == 0) {
        return false;
      }
    }
    return true;
  }
}
