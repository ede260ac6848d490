package dev.millpond.queue;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What people set on a queue; null means the default. */
@Entity
@Table(name = "queue")
class QueueRow {

  @Id private String name;

  private @Nullable Integer cap;

  private @Nullable Integer concurrency;

  private @Nullable Long maxWaitMs;

  private @Nullable String workers;

  /** By the database's clock; what the other nodes find changes by. */
  private Instant updatedAt;

  /** For JPA, which fills the fields afterwards. */
  protected QueueRow() {
    this.name = "";
    this.updatedAt = Instant.EPOCH;
  }

  QueueRow(
      String name,
      @Nullable Integer cap,
      @Nullable Integer concurrency,
      @Nullable Long maxWaitMs,
      @Nullable String workers,
      Instant updatedAt) {
    this.name = name;
    this.cap = cap;
    this.concurrency = concurrency;
    this.maxWaitMs = maxWaitMs;
    this.workers = workers;
    this.updatedAt = updatedAt;
  }

  Queue toQueue(QueueProperties defaults) {
    return new Queue(
        new QueueName(name),
        cap == null ? defaults.cap() : cap,
        concurrency,
        maxWaitMs == null ? null : Duration.ofMillis(maxWaitMs),
        Optional.ofNullable(workers).flatMap(Workers::of).orElse(Workers.SERVICE));
  }

  Instant updatedAt() {
    return updatedAt;
  }
}
