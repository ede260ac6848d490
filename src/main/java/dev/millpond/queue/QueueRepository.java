package dev.millpond.queue;

import org.jspecify.annotations.Nullable;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.NativeQuery;
import org.springframework.transaction.annotation.Transactional;

interface QueueRepository extends JpaRepository<QueueRow, String> {

  /** Several nodes may meet a new queue at once: one of them creates it, and is answered 1. */
  @Transactional
  @Modifying
  @NativeQuery("insert into queue (name) values (:name) on conflict do nothing")
  int createIfAbsent(String name);

  /** One statement, so that two changes of different settings both last. */
  @Transactional
  @Modifying
  @NativeQuery(
      """
      update queue
      set cap = case when :setCap then cast(:cap as integer) else cap end,
          concurrency = case when :setConcurrency then cast(:concurrency as integer) else concurrency end,
          max_wait_ms = case when :setMaxWait then cast(:maxWaitMs as bigint) else max_wait_ms end,
          workers = case when :setWorkers then cast(:workers as text) else workers end,
          rate_starts = case when :setRate then cast(:rateStarts as integer) else rate_starts end,
          rate_per_ms = case when :setRate then cast(:ratePerMs as bigint) else rate_per_ms end,
          retention_ms = case when :setRetention then cast(:retentionMs as bigint) else retention_ms end,
          updated_at = now()
      where name = :name
      """)
  void change(
      String name,
      boolean setCap,
      @Nullable Integer cap,
      boolean setConcurrency,
      @Nullable Integer concurrency,
      boolean setMaxWait,
      @Nullable Long maxWaitMs,
      boolean setWorkers,
      @Nullable String workers,
      boolean setRate,
      @Nullable Integer rateStarts,
      @Nullable Long ratePerMs,
      boolean setRetention,
      @Nullable Long retentionMs);

  /** 0 if there is no such queue. */
  @Transactional
  @Modifying
  @NativeQuery("update queue set paused = :paused, updated_at = now() where name = :name")
  int pause(String name, boolean paused);

  /**
   * 0 if there is no such queue, or a job waits or runs in it. Looks at all that do: nobody deletes
   * queues often.
   */
  @Transactional
  @Modifying
  @NativeQuery(
      """
      delete from queue
      where name = :name
        and not exists (select from ready where queue = :name)
        and not exists (select from delayed where queue = :name)
        and not exists (select from lease where queue = :name)
      """)
  int deleteIfEmpty(String name);
}
