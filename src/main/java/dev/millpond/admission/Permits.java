package dev.millpond.admission;

import dev.millpond.queue.JobsReturned;
import dev.millpond.queue.JobsStarted;
import dev.millpond.queue.JobsWithdrawn;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * The depth of each queue, kept in memory by this node's own arithmetic, and the room that is left.
 * Exact with one node; with several, what the others did is found by a count in the background
 * every ten seconds.
 */
@Component
public class Permits {

  private static final Logger log = LoggerFactory.getLogger(Permits.class);

  private final Queues queues;
  private final AdmissionProperties properties;
  private final AdmissionSql sql;
  private final MeterRegistry meters;
  private final Map<QueueName, Flow> flows = new ConcurrentHashMap<>();

  /** For clients sent away from queues in which nothing waits: by the total cap, say. */
  private final Flow elsewhere;

  Permits(Queues queues, AdmissionProperties properties, AdmissionSql sql, MeterRegistry meters) {
    this.queues = queues;
    this.properties = properties;
    this.sql = sql;
    this.meters = meters;
    this.elsewhere = new Flow(Duration.ofSeconds(properties.maxRetryAfter()));
    count();
  }

  private Flow flow(QueueName queue) {
    return flows.computeIfAbsent(queue, this::open);
  }

  private Flow open(QueueName queue) {
    Flow flow = new Flow(Duration.ofSeconds(properties.maxRetryAfter()));
    Gauge.builder("millpond.queue.depth", flow, Flow::depth)
        .description("Jobs that wait in the queue")
        .tag("queue", queue.value())
        .register(meters);
    return flow;
  }

  /** How many jobs wait in the queue. */
  public int depth(QueueName queue) {
    return known(queue).map(Flow::depth).orElse(0);
  }

  // To ask about a queue must not cost memory: any text may come in a path.
  private Optional<Flow> known(QueueName queue) {
    return Optional.ofNullable(flows.get(queue));
  }

  /** How many jobs of the queue start in a second while others wait; empty until it is known. */
  public OptionalDouble drainRate(QueueName queue) {
    return known(queue).map(Flow::drainRate).orElse(OptionalDouble.empty());
  }

  /** Roughly how many jobs will start before one that could have started for the given time. */
  public int ahead(QueueName queue, Duration waited) {
    return known(queue).map(flow -> flow.ahead(waited, System.nanoTime())).orElse(0);
  }

  /**
   * Why nothing can be admitted to the queue now; empty if there is room for a job. Touches no
   * database.
   */
  Optional<Refusal> refusal(QueueName queue) {
    int cap = cap(queue);
    int depth = depth(queue);
    return depth < cap && total() < properties.totalCap()
        ? Optional.empty()
        : Optional.of(refuse(queue, depth, cap));
  }

  private Refusal refuse(QueueName queue, int depth, int cap) {
    meters.counter("millpond.submits.refused", "reason", "queue-full").increment();
    Flow flow = known(queue).orElse(elsewhere);
    return new Refusal(queue, depth, cap, flow.drainRate(), flow.book(System.nanoTime()));
  }

  /** Takes room for jobs, or says why there is none. */
  synchronized Optional<Refusal> reserve(QueueName queue, int jobs) {
    int cap = cap(queue);
    Flow flow = flow(queue);
    return total() + jobs <= properties.totalCap() && flow.reserve(jobs, cap)
        ? Optional.empty()
        : Optional.of(refuse(queue, flow.depth(), cap));
  }

  /** The submit that had reserved room is decided. */
  void decide(QueueName queue, int jobs, boolean accepted) {
    flow(queue).decide(jobs, accepted);
  }

  /** How many jobs may wait in the queue. */
  public int cap(QueueName queue) {
    return queues.find(queue).map(Queue::cap).orElse(queues.defaultCap());
  }

  /** How many more jobs the queue takes; at least 0. */
  public int room(QueueName queue) {
    return Math.max(0, Math.min(cap(queue) - depth(queue), properties.totalCap() - total()));
  }

  private int total() {
    return flows.values().stream().mapToInt(Flow::depth).sum();
  }

  @EventListener
  void on(JobsStarted started) {
    flow(started.queue())
        .started(started.count(), started.more(), started.waited(), System.nanoTime());
  }

  @EventListener
  void on(JobsReturned returned) {
    flow(returned.queue()).returned(returned.count());
  }

  @EventListener
  void on(JobsWithdrawn withdrawn) {
    flow(withdrawn.queue()).withdrawn(withdrawn.count());
  }

  @Scheduled(fixedDelayString = "PT10S", initialDelayString = "PT10S")
  void recount() {
    try {
      count();
    } catch (DataAccessException away) {
      log.debug("Cannot count the waiting jobs: {}", away.getMessage());
    }
  }

  private void count() {
    Map<QueueName, Flow.Mark> marks =
        flows.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().mark()));
    Map<QueueName, Integer> depths =
        sql.depths().entrySet().stream()
            .collect(Collectors.toMap(e -> new QueueName(e.getKey()), Map.Entry::getValue));
    depths.keySet().forEach(this::flow);
    flows.forEach(
        (queue, flow) ->
            flow.counted(
                depths.getOrDefault(queue, 0), marks.getOrDefault(queue, new Flow.Mark(0, 0, 0))));
  }
}
