package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A queue that starts 100 jobs a second, and what tenants find in it. */
class TurnsTest {

  private static final long START_EVERY = 10_000; // microseconds

  private final Turns turns = new Turns();
  private final PriorityQueue<Job> waiting =
      new PriorityQueue<>(Comparator.comparingLong(Job::rank).thenComparingInt(Job::number));
  private final Map<String, List<Long>> waits = new HashMap<>();
  private long now = 1_000_000_000;
  private int number;

  private record Job(String tenant, long rank, int number, long since) {}

  private void submit(String tenant) {
    if (waiting.isEmpty()) {
      turns.idle(now);
    }
    List<String> tenants = waiting.stream().map(Job::tenant).distinct().toList();
    int active = tenants.size() + (tenants.contains(tenant) ? 0 : 1);
    long rank = turns.rank(4, tenant, waiting.size(), active, now);
    waiting.add(new Job(tenant, rank, number++, now));
    now++;
  }

  private void start() {
    Job job = waiting.remove();
    turns.started(4, 1, job.rank());
    waits.computeIfAbsent(job.tenant(), t -> new ArrayList<>()).add(now - job.since());
    now += START_EVERY;
  }

  private long longestWait(String tenant) {
    return waits.getOrDefault(tenant, List.of()).stream()
            .mapToLong(wait -> wait)
            .max()
            .orElseThrow()
        / START_EVERY;
  }

  private int started(String tenant) {
    return waits.getOrDefault(tenant, List.of()).size();
  }

  @Test
  void theJobsOfOneTenantStartInTheOrderOfTheirAge() {
    IntStream.range(0, 100).forEach(n -> submit("one"));
    IntStream.range(0, 50).forEach(n -> start());
    IntStream.range(0, 100).forEach(n -> submit("one"));
    List<Integer> order = new ArrayList<>();
    while (!waiting.isEmpty()) {
      order.add(waiting.peek().number());
      start();
    }
    assertThat(order).isSorted();
  }

  @Test
  void tenThousandJobsOfOneTenantDoNotDelayTheFirstOfAnother() {
    IntStream.range(0, 10_000).forEach(n -> submit("large"));
    IntStream.range(0, 100).forEach(n -> start());
    submit("small");
    start();
    start();
    assertThat(started("small")).isEqualTo(1);
  }

  @Test
  void whoAsksForLessThanItsShareHardlyWaits() {
    IntStream.range(0, 10_000).forEach(n -> submit("large"));
    for (int n = 0; n < 3_000; n++) {
      if (n % 10 == 0) {
        submit("small");
      }
      start();
    }
    assertThat(longestWait("small")).isLessThanOrEqualTo(3);
  }

  @Test
  void twoThatAskForMoreThanThereIsGetHalfEach() {
    IntStream.range(0, 10_000).forEach(n -> submit("large"));
    IntStream.range(0, 100).forEach(n -> start());
    for (int n = 0; n < 2_000; n++) {
      submit("other");
      if (n % 4 == 0) {
        submit("large");
      }
      start();
    }
    assertThat(started("other")).isBetween(900, 1_100);
  }

  @Test
  void threeTenantsThatComeOneAfterTheOtherShareEvenly() {
    List.of("a", "b", "c")
        .forEach(
            tenant -> {
              IntStream.range(0, 2_000).forEach(n -> submit(tenant));
              IntStream.range(0, 20).forEach(n -> start());
            });
    waits.clear();
    IntStream.range(0, 900).forEach(n -> start());
    assertThat(started("a")).isBetween(200, 400);
    assertThat(started("b")).isBetween(200, 400);
    assertThat(started("c")).isBetween(200, 400);
  }
}
