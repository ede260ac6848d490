package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Permits taken for jobs that are about to be written. */
record Reservation(Books books, QueueName queue, List<Demand> demands) implements Verdict {

  /**
   * Jobs of one tenant.
   *
   * @param tenant null for nobody's in particular
   * @param runnable how many of the jobs wait for nothing but a slot
   */
  record Demand(@Nullable String tenant, int jobs, int runnable) {

    private Demand less(int written) {
      return new Demand(tenant, jobs - written, Math.max(0, runnable - written));
    }
  }

  /** Only with this account open may the jobs be written. */
  UUID account() {
    return books.account();
  }

  /** What is left of it when so many jobs of each tenant are written: the permits to give back. */
  Reservation without(Map<Optional<String>, Integer> written) {
    return new Reservation(
        books,
        queue,
        demands.stream()
            .map(
                demand ->
                    demand.less(written.getOrDefault(Optional.ofNullable(demand.tenant()), 0)))
            .toList());
  }

  int jobs() {
    return demands.stream().mapToInt(Demand::jobs).sum();
  }

  int runnable() {
    return demands.stream().mapToInt(Demand::runnable).sum();
  }
}
