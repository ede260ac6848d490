package dev.millpond.job;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/** What waits and runs in the queues, over all nodes. */
@Component
public final class Traffic {

  /** Over so long the rate of submits is told, or over the time in which so many came. */
  private static final Duration ARRIVAL_WINDOW = Duration.ofMinutes(1);

  private static final int ARRIVALS = 200;

  private final TrafficSql sql;

  Traffic(TrafficSql sql) {
    this.sql = sql;
  }

  /** Each of these queues, by its name. */
  public Map<String, QueueTraffic> of(List<String> queues) {
    Map<String, QueueCounts> counts = sql.counts(queues);
    Map<String, Double> arrivals = sql.arrivals(queues, ARRIVAL_WINDOW, ARRIVALS);
    Map<String, Duration> oldest = sql.oldest(queues);
    return queues.stream()
        .collect(
            Collectors.toMap(
                Function.identity(),
                queue ->
                    new QueueTraffic(
                        counts.getOrDefault(queue, QueueCounts.NONE),
                        arrivals.getOrDefault(queue, 0.0),
                        oldest.get(queue))));
  }

  /** As {@link QueueTraffic#oldest}; queues in which none could start are left out. */
  public Map<String, Duration> oldest(List<String> queues) {
    return sql.oldest(queues);
  }
}
