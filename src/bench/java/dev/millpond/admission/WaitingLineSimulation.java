package dev.millpond.admission;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * What one machine cannot hold: tens of thousands of clients that want into a full queue, simulated
 * event by event with the very {@link WaitingLine} and {@link DrainRate} of the service. Here and
 * not in the package of the other experiments to see them.
 */
public final class WaitingLineSimulation {

  private static final double NANOS = 1e9;
  private static final double STAYING = 1;

  private static final Duration LONGEST = Duration.ofMinutes(5);

  /** Jobs run at once; each takes an exponentially distributed time. */
  private static final int SLOTS = 10;

  /**
   * A case.
   *
   * @param arrival the clients come, evenly, within this many seconds
   * @param perSecond jobs that the workers can do
   * @param returning the share of the clients that come back when they are sent away
   * @param seconds for so long each client has a new job a second after it had the last one, unless
   *     that is still waiting to be accepted; 0 where each has one job only
   */
  private record Case(
      String name,
      int clients,
      double arrival,
      int cap,
      double perSecond,
      double returning,
      int nodes,
      double seconds,
      Refusals refusals) {}

  /** What a client is told, or does, when it is sent away. */
  private interface Refusals {
    double secondsFor(Queue queue, int client, int attempt);
  }

  private record Event(long time, int client) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return Long.compare(time, other.time);
    }
  }

  /** What came of it. */
  private record Result(
      Case of, double attempts, double idle, double medianWait, double mostWait, double peak) {

    String row() {
      return String.format(
          Locale.ROOT,
          "| %s | %.1f | %.1f %% | %.0f s | %.1f | %.1f |",
          of.name,
          attempts,
          100 * idle,
          medianWait,
          mostWait / medianWait,
          peak);
    }

    String csv() {
      return String.format(
          Locale.ROOT,
          "\"%s\",%d,%d,%.0f,%.2f,%d,%.3f,%.4f,%.2f,%.2f,%.2f",
          of.name,
          of.clients,
          of.cap,
          of.perSecond,
          of.returning,
          of.nodes,
          attempts,
          idle,
          medianWait,
          mostWait,
          peak);
    }
  }

  /** One run of a case. */
  private static final class Queue {

    final Case of;
    final Random random = new Random(20_000);
    final DrainRate rate;
    final WaitingLine[] lines;
    final PriorityQueue<Event> events = new PriorityQueue<>();
    final long[] firstTry;
    final int[] attempts;

    /** By which each client's request is known when it comes back. */
    final String[] key;

    /** To which each client talks. */
    final int[] node;

    final List<Double> waits = new ArrayList<>();
    final int[] retries = new int[3_600];

    /** Of the node that answers now. */
    WaitingLine line;

    long now;
    int depth;
    int running;
    long tries;
    long worked;

    Queue(Case of) {
      this.of = of;
      rate = new DrainRate(of.perSecond);
      lines = new WaitingLine[of.nodes];
      Arrays.setAll(lines, n -> new WaitingLine(LONGEST));
      line = lines[0];
      node = random.ints(of.clients, 0, of.nodes).toArray();
      key = new String[of.clients];
      firstTry = new long[of.clients];
      attempts = new int[of.clients];
    }

    Result run() {
      for (int client = 0; client < of.clients; client++) {
        firstTry[client] = (long) (of.arrival * NANOS * client / of.clients);
        events.add(new Event(firstTry[client], client));
      }
      long lastAccepted = 0;
      long workedUntilThen = 0;
      for (Event event = events.poll(); event != null; event = events.poll()) {
        now = event.time;
        if (of.seconds > 0 && now > of.seconds * NANOS) {
          break;
        }
        if (event.client < 0) {
          running--;
          start();
        } else if (attempt(event.client)) {
          lastAccepted = now;
          workedUntilThen = worked;
        }
      }
      int accepted = waits.size();
      if (of.seconds > 0) {
        // Who still waits at the end has waited for at least so long.
        for (int client = 0; client < of.clients; client++) {
          if (attempts[client] > 0) {
            waits.add((now - firstTry[client]) / NANOS);
          }
        }
      }
      waits.sort(null);
      return new Result(
          of,
          tries / (double) accepted,
          Math.max(0, 1 - workedUntilThen / (double) lastAccepted / SLOTS),
          waits.get(waits.size() / 2),
          waits.getLast(),
          peak(lastAccepted));
    }

    /** The busiest second of those who came back, by the mean: 1 means no waves at all. */
    private double peak(long until) {
      int seconds = (int) Math.min(retries.length, Math.ceil(until / NANOS));
      double mean = Arrays.stream(retries, 0, seconds).average().orElse(1);
      return Arrays.stream(retries, 0, seconds).max().orElse(0) / mean;
    }

    private boolean attempt(int client) {
      tries++;
      attempts[client]++;
      if (attempts[client] > 1) {
        retries[(int) Math.min(retries.length - 1, now / NANOS)]++;
      } else {
        firstTry[client] = now;
        key[client] = client + " " + now;
      }
      line = lines[node[client]];
      boolean forOthers = depth >= of.cap * Flow.CROWDED && line.isEarly(key[client], now);
      if (depth < of.cap && !forOthers) {
        accept(client);
        return true;
      }
      line.foundNoRoom(key[client], now);
      // Whether it is one that gives up is decided once.
      if (attempts[client] > 1 || random.nextDouble() < of.returning) {
        double seconds = of.refusals.secondsFor(this, client, attempts[client]);
        events.add(new Event(now + (long) (seconds * NANOS), client));
      } else {
        again(client);
      }
      return false;
    }

    private void accept(int client) {
      line.entered(key[client], now);
      depth++;
      waits.add((now - firstTry[client]) / NANOS);
      again(client);
      start();
    }

    /** The client is done with its job, and has another one in time. */
    private void again(int client) {
      attempts[client] = 0;
      if (of.seconds > 0) {
        long pause = (long) (NANOS * (0.9 + 0.2 * random.nextDouble()));
        events.add(new Event(Math.max(now, firstTry[client] + pause), client));
      }
    }

    private void start() {
      while (running < SLOTS && depth > 0) {
        depth--;
        running++;
        long time = (long) (-Math.log(1 - random.nextDouble()) * SLOTS / of.perSecond * NANOS);
        worked += time;
        events.add(new Event(now + time, -1));
        rate.started(1, depth > 0, now);
      }
    }

    /** The answer of any of the nodes; they share the line's rate evenly. */
    double book(double share, int client) {
      OptionalDouble known = rate.perSecond(now);
      OptionalDouble part =
          known.isEmpty() ? known : OptionalDouble.of(known.getAsDouble() * share / of.nodes);
      return line.book(
                  key[client],
                  part,
                  rate.steady(now).multipliedBy(Flow.RELIED_ON),
                  now,
                  random.nextDouble())
              .toNanos()
          / NANOS;
    }
  }

  private WaitingLineSimulation() {}

  private static double line(Queue queue, int client, int attempt) {
    return queue.book(1, client);
  }

  /** As the line is told by {@code Retry-After}, in whole seconds. */
  private static double wholeSeconds(Queue queue, int client, int attempt) {
    return Math.max(1, Math.ceil(queue.book(1, client)));
  }

  /** A turn for each start and no more. */
  private static double notOverbooked(Queue queue, int client, int attempt) {
    return queue.book(1 / 1.25, client);
  }

  /** Turns beyond a minute are booked, and their clients told a minute. */
  private static double clamped(Queue queue, int client, int attempt) {
    return Math.min(60, queue.book(1, client));
  }

  private static double fixed(Queue queue, int client, int attempt) {
    return 1;
  }

  /** Exponential from one second to a minute, with full jitter. */
  private static double backoff(Queue queue, int client, int attempt) {
    return queue.random.nextDouble() * Math.min(60, Math.pow(2, attempt - 1.0));
  }

  /** The time in which what waits now drains: the same for all. */
  private static double depthOnly(Queue queue, int client, int attempt) {
    return Math.max(1, Math.ceil(queue.depth / queue.of.perSecond));
  }

  private static Case herd(String name, double returning, Refusals refusals) {
    return new Case(name, 20_000, 1, 200, 100, returning, 1, 0, refusals);
  }

  private static Case flood(String name, Refusals refusals) {
    return new Case(name, 20_000, 100, 200, 100, 0.7, 1, 0, refusals);
  }

  /** A thousand clients, each with a job a second unless it waits with the last one. */
  private static Case steady(String name, double returning, int nodes, Refusals refusals) {
    return new Case(name, 1_000, 1, 100, 100, returning, nodes, 300, refusals);
  }

  private static final List<Case> CASES =
      List.of(
          herd("the waiting line", STAYING, WaitingLineSimulation::line),
          herd("the same in whole seconds", STAYING, WaitingLineSimulation::wholeSeconds),
          herd("the same without overbooking", STAYING, WaitingLineSimulation::notOverbooked),
          herd("turns cut to 60 s", STAYING, WaitingLineSimulation::clamped),
          herd("always 1 s", STAYING, WaitingLineSimulation::fixed),
          herd("depth ÷ drain rate", STAYING, WaitingLineSimulation::depthOnly),
          herd("backoff of the clients alone", STAYING, WaitingLineSimulation::backoff),
          herd("30 % give up: the line", 0.7, WaitingLineSimulation::line),
          herd("30 % give up: without overbooking", 0.7, WaitingLineSimulation::notOverbooked),
          flood("30 % give up, arriving over 100 s: the line", WaitingLineSimulation::line),
          flood(
              "30 % give up, arriving over 100 s: without overbooking",
              WaitingLineSimulation::notOverbooked),
          steady(
              "1,000 clients for 300 s, cap 100: the line",
              STAYING,
              1,
              WaitingLineSimulation::line),
          steady("the same, 30 % give up when sent away", 0.7, 1, WaitingLineSimulation::line),
          steady("the same on three nodes", STAYING, 3, WaitingLineSimulation::line),
          steady("the same, always 1 s", STAYING, 1, WaitingLineSimulation::fixed),
          steady(
              "the same, backoff of the clients alone", STAYING, 1, WaitingLineSimulation::backoff),
          new Case(
              "1,000,000 clients, 64 nodes, cap 10,000, 5,000 jobs/s: the line",
              1_000_000,
              1,
              10_000,
              5_000,
              STAYING,
              64,
              0,
              WaitingLineSimulation::line));

  /** Prints a table, and writes the same into {@code simulation.csv}. */
  public static void run(Path directory) throws IOException {
    System.out.println(
        """
        | 20,000 clients at once, cap 200, 100 jobs/s | attempts an accepted job | worker idle | median wait | max ÷ median wait | peak ÷ mean retries |
        |---|---|---|---|---|---|\
        """);
    List<String> csv = new ArrayList<>();
    csv.add(
        "case,clients,cap,jobs_per_s,returning,nodes,attempts_per_job,idle,median_wait_s,max_wait_s,peak_by_mean");
    for (Case each : CASES) {
      Result result = new Queue(each).run();
      System.out.println(result.row());
      csv.add(result.csv());
    }
    Files.createDirectories(directory);
    Files.write(directory.resolve("simulation.csv"), csv);
  }

  static void main() throws IOException {
    run(Path.of("target", "bench"));
  }
}
