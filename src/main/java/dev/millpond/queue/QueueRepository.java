package dev.millpond.queue;

import java.time.Instant;
import java.util.List;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.NativeQuery;
import org.springframework.transaction.annotation.Transactional;

interface QueueRepository extends JpaRepository<QueueRow, String> {

  List<QueueRow> findByUpdatedAtAfter(Instant moment);

  /** Several nodes may meet a new queue at once: one of them creates it. */
  @Transactional
  @Modifying
  @NativeQuery("insert into queue (name) values (:name) on conflict do nothing")
  void createIfAbsent(String name);
}
