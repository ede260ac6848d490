package dev.millpond.bench;

import dev.millpond.admission.WaitingLineSimulation;
import dev.millpond.bench.Measurements.Plan;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Measures the packaged service as its own process on its embedded PostgreSQL, over HTTP, and
 * prints a Markdown table of what it promises and what was measured. Nothing here is a test: a slow
 * machine fails no build.
 *
 * <pre>
 *   ./mvnw -Pbench verify                          # the speed, about ten minutes
 *   ./mvnw -Pbench verify -Dbench.args=--short     # under a minute, so that it cannot rot
 *   ./mvnw -Pbench verify -Dbench.args=overload    # an experiment, by name; several, or "all"
 * </pre>
 *
 * The experiments are about behaviour under pressure, not speed. Each writes its rows to {@code
 * target/bench/<name>.csv} and a chart to {@code target/bench/<name>.svg}.
 *
 * <p>Each figure is the median of the repetitions, which stand beside it. Latencies are open loop:
 * requests go out at a fixed rate whatever the answers do, and each is measured from the moment at
 * which it should have gone out. The generator shares the machine with the service; a load average
 * near the number of processors before the start says that others do too, and that the figures are
 * no good. HdrHistogram comes with Micrometer.
 */
public final class Benchmark {

  private Benchmark() {}

  /** Writes what it finds into the directory. */
  private interface Experiment {
    void run(Path directory) throws IOException, SQLException;
  }

  private static final Path DIRECTORY = Path.of("target", "bench");

  /** By name, and in the order of the names. */
  private static final Map<String, Experiment> EXPERIMENTS =
      new TreeMap<>(
          Map.of(
              "simulation", WaitingLineSimulation::run,
              "overload", Overload::run,
              "herd", directory -> Herd.run(directory, "herd", 1, 0),
              "herd-third-gives-up",
                  directory -> Herd.run(directory, "herd-third-gives-up", 1, 333),
              "herd-three-nodes", directory -> Herd.run(directory, "herd-three-nodes", 3, 0),
              "drop", Drop::run,
              "keys", Keys::run,
              "nodes", NodeLoss::run,
              "tenants", Tenants::run));

  /** Not among "all": the service knows no tenants yet. */
  private static final Set<String> LATER = Set.of("tenants");

  static void main(String[] args) throws IOException, SQLException {
    List<String> names = Stream.of(args).filter(arg -> !arg.startsWith("--")).toList();
    for (String name : names) {
      if (!name.equals("all") && !EXPERIMENTS.containsKey(name)) {
        throw new IllegalArgumentException(
            "no experiment " + name + ", there are all and " + EXPERIMENTS.keySet());
      }
    }
    for (Map.Entry<String, Experiment> experiment : EXPERIMENTS.entrySet()) {
      String name = experiment.getKey();
      if (names.contains(name) || (names.contains("all") && !LATER.contains(name))) {
        experiment.getValue().run(DIRECTORY);
      }
    }
    if (names.isEmpty()) {
      speed(args);
    }
  }

  private static void speed(String[] args) throws IOException, SQLException {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    Plan plan = List.of(args).contains("--short") ? Plan.SHORT : Plan.FULL;
    List<Figure> figures;
    String postgres;
    try (Bed bed = new Bed()) {
      bed.start();
      bed.requireDurability();
      postgres = bed.query("show server_version", row -> row.getString(1));
      figures = new Measurements(bed, plan).all();
    }
    StringBuilder table = new StringBuilder();
    table.append(machine(postgres, load)).append("\n\n");
    table.append("| what | target | measured | each repetition |\n|---|---|---|---|\n");
    figures.forEach(figure -> table.append(figure.row()).append('\n'));
    System.out.println(table);
  }

  private static String machine(String postgres, double load) throws IOException {
    return "%s, %d processors, %s, Java %s, PostgreSQL %s (embedded; fsync, full_page_writes and synchronous_commit on), load average before %.1f"
        .formatted(
            processor(),
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("os.name") + " " + System.getProperty("os.version"),
            System.getProperty("java.version"),
            postgres,
            load);
  }

  private static String processor() throws IOException {
    Path cpuinfo = Path.of("/proc/cpuinfo");
    if (!Files.exists(cpuinfo)) {
      return System.getProperty("os.arch");
    }
    try (var lines = Files.lines(cpuinfo, StandardCharsets.UTF_8)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse(System.getProperty("os.arch"));
    }
  }
}
