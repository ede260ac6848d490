package dev.millpond.queue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * The queues and their settings. Reads come from memory, which follows the table within a second,
 * so that a change on one node is in force on all.
 */
@Component
public final class Queues {

  /** How long a change may take to commit and still be seen by the refresh. */
  private static final Duration COMMIT_LAG = Duration.ofSeconds(10);

  private final QueueRepository repository;
  private final QueueSql sql;
  private final QueueProperties defaults;
  private final Map<QueueName, Queue> queues = new ConcurrentSkipListMap<>();

  /** Up to when changes have been seen; written by the refreshing turn alone. */
  private Instant seen = Instant.EPOCH;

  Queues(QueueRepository repository, QueueSql sql, QueueProperties defaults) {
    this.repository = repository;
    this.sql = sql;
    this.defaults = defaults;
    refresh();
  }

  /** The queue with this name, if it exists. */
  public Optional<Queue> find(QueueName name) {
    return Optional.ofNullable(queues.get(name));
  }

  /** Which workers may claim the queue's jobs; those in the service if it does not exist yet. */
  public Workers workers(QueueName name) {
    return find(name).map(Queue::workers).orElse(Workers.SERVICE);
  }

  /** The cap of a queue that sets none. */
  public int defaultCap() {
    return defaults.cap();
  }

  /** All queues, in alphabetical order. */
  public List<Queue> all() {
    return List.copyOf(queues.values());
  }

  /**
   * The queue with this name, created with the defaults if it is new.
   *
   * @throws UnknownQueue if it is new and must not be created
   */
  public Queue getOrCreate(QueueName name) {
    Queue known = queues.get(name);
    return known != null ? known : create(name);
  }

  private Queue create(QueueName name) {
    if (!defaults.autoCreate() || queues.size() >= defaults.max()) {
      throw new UnknownQueue(name, defaults.autoCreate());
    }
    repository.createIfAbsent(name.value());
    return load(repository.findById(name.value()).orElseThrow());
  }

  /**
   * A queue after a change.
   *
   * @param isNew whether the change created it
   */
  public record Changed(Queue queue, boolean isNew) {}

  /**
   * Changes a queue's settings, and creates it if it is new.
   *
   * @throws UnknownQueue if there are too many queues already
   */
  public Changed change(QueueName name, QueueChange change) {
    if (!queues.containsKey(name) && queues.size() >= defaults.max()) {
      throw new UnknownQueue(name, true);
    }
    boolean isNew = repository.createIfAbsent(name.value()) > 0;
    repository.change(
        name.value(),
        change.cap().isSet(),
        change.cap().value(),
        change.concurrency().isSet(),
        change.concurrency().value(),
        change.maxWait().isSet(),
        Optional.ofNullable(change.maxWait().value()).map(Duration::toMillis).orElse(null),
        change.workers().isSet(),
        Optional.ofNullable(change.workers().value()).map(Workers::label).orElse(null));
    return new Changed(load(repository.findById(name.value()).orElseThrow()), isNew);
  }

  @Scheduled(fixedDelayString = "PT0.9S", initialDelayString = "PT0.9S")
  void refresh() {
    for (QueueRow row : sql.changedAfter(seen.minus(COMMIT_LAG))) {
      load(row);
      seen = row.updatedAt().isAfter(seen) ? row.updatedAt() : seen;
    }
  }

  private Queue load(QueueRow row) {
    Queue queue = row.toQueue(defaults);
    queues.put(queue.name(), queue);
    return queue;
  }
}
