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

  private @Nullable Integer rateStarts;

  private @Nullable Long ratePerMs;

  private @Nullable Long retentionMs;

  private boolean paused;

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
      @Nullable Integer rateStarts,
      @Nullable Long ratePerMs,
      @Nullable Long retentionMs,
      boolean paused,
      Instant updatedAt) {
    this.name = name;
    this.cap = cap;
    this.concurrency = concurrency;
    this.maxWaitMs = maxWaitMs;
    this.workers = workers;
    this.rateStarts = rateStarts;
    this.ratePerMs = ratePerMs;
    this.retentionMs = retentionMs;
    this.paused = paused;
    this.updatedAt = updatedAt;
  }

  Queue toQueue(QueueProperties defaults) {
    return new Queue(
        new QueueName(name),
        cap == null ? defaults.cap() : cap,
        concurrency,
        maxWaitMs == null ? null : Duration.ofMillis(maxWaitMs),
        Optional.ofNullable(workers).flatMap(Workers::of).orElse(Workers.SERVICE),
        rateStarts == null || ratePerMs == null
            ? null
            : new StartRate(rateStarts, Duration.ofMillis(ratePerMs)),
        retentionMs == null ? null : Duration.ofMillis(retentionMs),
        paused);
  }

  Instant updatedAt() {
    return updatedAt;
  }
}
