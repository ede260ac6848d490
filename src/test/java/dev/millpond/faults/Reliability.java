package dev.millpond.faults;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The table of what was survived, written anew after each trial. */
final class Reliability {

  private static final Path FILE = Path.of("target", "faults", "reliability.md");

  private static final Map<String, Line> lines = new LinkedHashMap<>();
  private static final Map<String, Total> totals = new LinkedHashMap<>();

  private static final String HEAD =
      """
      # What it survives

      `./mvnw -Pfaults verify` writes this page to `target/faults/reliability.md` (about forty minutes; `-Dfaults.seconds=60` lets the last
      and longest trial be shorter, `-Dfaults.seed=…` lets it draw other faults). A selection runs in each `./mvnw verify`. Root is needed to
      mount a small disk, `pgbouncer` to try a pooler, and `libfaketime` for a wrong clock; without them these trials are skipped, and the log says so.

      In each trial, packaged nodes work for a dozen clients on a PostgreSQL 18 with fsync on, while something breaks. The clients submit with an
      `Idempotency-Key`, repeat it until they get an answer, read each job back at once, and keep on looking. The jobs call an HTTP server
      that remembers each call: results name the call that they come from. Triggers in the database write down each
      change of a job, in the transaction that makes it. From all this a checker counts what must not happen. Leases last 2 s and are looked through
      each 0.5 s. What was seen in a trial is kept in `target/faults/*.jsonl`.

      """;

  private static final String FAULTS =
      """


      | fault | what was done | runs | jobs acknowledged | invariants broken | slowest recovery |
      |---|---|---|---|---|---|
      """;

  private static final String INVARIANTS =
      """


      The recovery is the time from the end of the fault until no runnable job was older than a lease and a sweep.

      | invariant | counted over all trials | how often |
      |---|---|---|
      """;

  private static final String ELSEWHERE =
      """


      I9 (order within a concurrency key) and I9b (how many of a key run at once) have a load of their own in `KeyFaultsE2E`. I11 and I12 say little here, since these clients leave room; the
      cap under a kill is proved by `SharedCapE2E` and measured by the experiment `nodes`.

      Services that were made to break a promise are caught by the same checker (`MutantsE2E`): one without the fence by I6, one that acknowledges
      before the disk has it by I1, one whose claims wait for locks by their standstill, one that judges leases by a wrong clock by I7. The
      protocol of leases is explored by itself, every order of every step of two workers, in `LeaseProtocolTest`.

      Other faults are proved by tests of their own:

      | fault | test |
      |---|---|
      | a handler that ignores its interrupt | `WorkerIT`; ten of them: K9 |
      | one in twenty of all statements, under the tests of the HTTP interface | `./mvnw verify -Dstore.faults=before`, and `after` |
      | a claim whose answer is lost | `LeasesIT` |
      | migrations of full tables, beside a load | `MigrationsE2E` |
      | what a hint between nodes costs | `NoticesE2E` |
      | schedules whose nodes are killed; days on which the clocks change | `ScheduleFaultsE2E`, `CronTest` |
      | no database at the start | `NoDatabaseE2E` |
      | a hint between nodes that does not come | `PoolerE2E`, where none does |
      | bodies over the limit, endless, broken; clients that go away | `EdgesIT` |
      | anything else that a client may send | `DocumentFuzzIT` |
      | clients that follow a job and vanish, or do not read; 5,000 of them | `EventsIT`, `WatchFaultsE2E` |
      | fifty submits at once with one key | `JobsE2E` |
      | a target of `http.request` that hangs, drips, redirects, resets or never ends | `HostileTargetTest`, `BrokenTargetTest` |
      | the embedded PostgreSQL killed, at any step of its start too | `EmbeddedPostgresIT`, `CrashE2E` |
      | ten times the load, a thousand clients of a full queue | the experiments of `./mvnw -Pbench verify` |
      """;

  private record Line(
      String fault, String what, int runs, long acknowledged, double broken, double recovery) {

    Line and(Line other) {
      return new Line(
          fault,
          what,
          runs + other.runs,
          acknowledged + other.acknowledged,
          broken + other.broken,
          Math.max(recovery, other.recovery));
    }
  }

  private record Total(String what, double value, boolean isTarget) {

    Total and(Total other) {
      return new Total(
          what, isTarget ? value + other.value : Math.max(value, other.value), isTarget);
    }
  }

  private Reliability() {}

  static synchronized void tell(String fault, String what, long acknowledged, List<Count> counts) {
    double broken = counts.stream().filter(Count::isBroken).mapToDouble(Count::value).sum();
    double recovery =
        counts.stream().filter(count -> count.name().equals("I15")).mapToDouble(Count::value).sum();
    lines.merge(fault + what, new Line(fault, what, 1, acknowledged, broken, recovery), Line::and);
    for (Count count : counts) {
      boolean summed = !count.name().equals("I15");
      totals.merge(count.name(), new Total(count.what(), count.value(), summed), Total::and);
    }
    write();
  }

  private static void write() {
    String faults =
        lines.values().stream()
            .map(
                line ->
                    "| %s | %s | %d | %d | %.0f | %.1f s |"
                        .formatted(
                            line.fault,
                            line.what,
                            line.runs,
                            line.acknowledged,
                            line.broken,
                            line.recovery))
            .collect(joining("\n"));
    String invariants =
        totals.entrySet().stream()
            .map(
                total ->
                    String.format(
                        Locale.ROOT,
                        total.getValue().isTarget
                            ? "| %s | %s | %.0f |"
                            : "| %s | %s | at most %.1f |",
                        total.getKey(),
                        total.getValue().what,
                        total.getValue().value))
            .collect(joining("\n"));
    try {
      Files.createDirectories(FILE.toAbsolutePath().getParent());
      Files.writeString(
          FILE,
          HEAD
              + "This run: %s, %d processors, %s %s, Java %s."
                  .formatted(
                      processor(),
                      Runtime.getRuntime().availableProcessors(),
                      System.getProperty("os.name"),
                      System.getProperty("os.version"),
                      System.getProperty("java.version"))
              + FAULTS
              + faults
              + INVARIANTS
              + invariants
              + ELSEWHERE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String processor() throws IOException {
    Path told = Path.of("/proc/cpuinfo");
    if (Files.notExists(told)) {
      return System.getProperty("os.arch");
    }
    try (Stream<String> lines = Files.lines(told)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.replaceFirst(".*: *", ""))
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    }
  }
}
