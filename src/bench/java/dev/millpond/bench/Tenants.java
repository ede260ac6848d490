package dev.millpond.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Two tenants of one queue, one of which offers a hundred times what the other does. */
final class Tenants {

  private static final String QUEUE = "tenants";
  private static final double SMALL_PER_SECOND = 5;
  private static final int SLOTS = 10;
  private static final double SERVICE_SECONDS = 0.05;
  private static final Duration LENGTH = Duration.ofSeconds(20);

  private final Fleet fleet;
  private final Wire wire;

  private Tenants(Fleet fleet) {
    this.fleet = fleet;
    this.wire = new Wire(fleet.node(0).url());
  }

  /** Of the small tenant: what was accepted of its submits, and the p99 of its waits in seconds. */
  private record Served(double accepted, double waitP99) {}

  static void run(Path directory) throws IOException, SQLException {
    try (Fleet fleet = new Fleet(QUEUE, 1)) {
      Tenants tenants = new Tenants(fleet);
      fleet.queue(QUEUE, "{\"cap\": 400, \"concurrency\": %d}".formatted(SLOTS));
      Served _ = tenants.serve(LENGTH.dividedBy(2), true);
      Served alone = tenants.serve(LENGTH, false);
      Served beside = tenants.serve(LENGTH, true);
      Findings findings = new Findings(directory, QUEUE, "case,accepted,wait_p99_s");
      findings.row("alone", alone.accepted, alone.waitP99);
      findings.row("beside", beside.accepted, beside.waitP99);
      findings.atLeast("accepted of the small tenant, %", 99, 100 * beside.accepted);
      findings.tell("its p99 wait alone, ms", 1_000 * alone.waitP99);
      findings.atMost(
          "its p99 wait beside the large one, ms",
          1_000 * (alone.waitP99 + 2 * SERVICE_SECONDS / SLOTS),
          1_000 * beside.waitP99);
      findings.write();
    }
  }

  private Served serve(Duration length, boolean large) throws SQLException {
    ConcurrentLinkedQueue<String> ids = new ConcurrentLinkedQueue<>();
    Thread flood =
        Thread.ofPlatform()
            .start(
                () -> {
                  if (large) {
                    OpenLoop.unslowed(
                        100 * SMALL_PER_SECOND,
                        length,
                        (n, intended) ->
                            wire.submit(QUEUE, Overload.JOB, "Millpond-Tenant: large"));
                  }
                });
    AtomicInteger sent = new AtomicInteger();
    OpenLoop.unslowed(
        SMALL_PER_SECOND,
        length,
        (n, intended) -> {
          sent.incrementAndGet();
          Wire.Answer answer = wire.submit(QUEUE, Overload.JOB, "Millpond-Tenant: small");
          if (answer.status() == 202) {
            ids.add("'" + answer.json().path("id").asString() + "'");
          }
        });
    try {
      flood.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    fleet.node(0).api().awaitDrained(QUEUE, Duration.ofMinutes(1));
    double waitP99 =
        ids.isEmpty()
            ? Double.NaN
            : fleet.query(
                    """
                    select percentile_cont(0.99) within group
                             (order by extract(epoch from started_at - uuid_extract_timestamp(id)))
                    from finished
                    where id in (%s)
                    """
                        .formatted(String.join(",", ids)))
                .getFirst()[0];
    return new Served(ids.size() / (double) sent.get(), waitP99);
  }
}
