package dev.millpond.queue;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Component;

/**
 * The queues and their settings. Reads come from memory, which follows the table within a second,
 * so that a change on one node is in force on all.
 */
@Component
public final class Queues {

  private final QueueRepository repository;
  private final QueueSql sql;
  private final QueueProperties defaults;
  private final ApplicationEventPublisher events;
  private final Map<QueueName, Queue> queues = new ConcurrentSkipListMap<>();

  Queues(
      QueueRepository repository,
      QueueSql sql,
      QueueProperties defaults,
      ApplicationEventPublisher events) {
    this.repository = repository;
    this.sql = sql;
    this.defaults = defaults;
    this.events = events;
    refresh();
  }

  /** The queue with this name, if it exists. */
  public Optional<Queue> find(QueueName name) {
    return Optional.ofNullable(queues.get(name));
  }

  /**
   * The queue with this name.
   *
   * @throws UnknownQueue if it does not exist
   */
  public Queue get(QueueName name) {
    return find(name).orElseThrow(() -> new UnknownQueue(name, false));
  }

  /** Which workers may claim the queue's jobs; those in the service if it does not exist yet. */
  public Workers workers(QueueName name) {
    return find(name).map(Queue::workers).orElse(Workers.SERVICE);
  }

  /** Whether none of the queue's jobs may start for now. */
  public boolean isPaused(QueueName name) {
    return find(name).map(Queue::paused).orElse(false);
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
        Optional.ofNullable(change.workers().value()).map(Workers::label).orElse(null),
        change.rateLimit().isSet(),
        Optional.ofNullable(change.rateLimit().value()).map(StartRate::starts).orElse(null),
        Optional.ofNullable(change.rateLimit().value())
            .map(rate -> rate.per().toMillis())
            .orElse(null),
        change.retention().isSet(),
        Optional.ofNullable(change.retention().value()).map(Duration::toMillis).orElse(null));
    return new Changed(load(repository.findById(name.value()).orElseThrow()), isNew);
  }

  /**
   * Lets none of the queue's jobs start, or lets them start again.
   *
   * @throws UnknownQueue if it does not exist
   */
  public Queue pause(QueueName name, boolean paused) {
    if (repository.pause(name.value(), paused) == 0) {
      throw new UnknownQueue(name, false);
    }
    return load(repository.findById(name.value()).orElseThrow());
  }

  /**
   * Deletes a queue with its settings; what has finished in it stays. False if it does not exist,
   * or a job waits or runs in it.
   */
  public boolean delete(QueueName name) {
    boolean deleted = repository.deleteIfEmpty(name.value()) > 0;
    if (deleted) {
      queues.remove(name);
    }
    return deleted;
  }

  /** A queue in which jobs are found is there, even if it was deleted while they were submitted. */
  public void found(QueueName name) {
    if (!queues.containsKey(name)) {
      repository.createIfAbsent(name.value());
      repository.findById(name.value()).ifPresent(this::load);
    }
  }

  /** Reads all of them anew. */
  void refresh() {
    // Only what was known before the look can be missed by it.
    Set<QueueName> gone = new HashSet<>(queues.keySet());
    for (QueueRow row : sql.all()) {
      gone.remove(load(row).name());
    }
    gone.forEach(queues::remove);
  }

  private Queue load(QueueRow row) {
    Queue queue = row.toQueue(defaults);
    Queue before = queues.put(queue.name(), queue);
    if (before != null && !before.equals(queue)) {
      // More may be allowed to start than before.
      events.publishEvent(new JobsReady(Set.of(queue.name()), true));
    }
    return queue;
  }
}
