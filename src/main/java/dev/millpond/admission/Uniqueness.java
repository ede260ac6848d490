package dev.millpond.admission;

import static java.util.stream.Collectors.toSet;

import dev.millpond.admission.Placed.As;
import dev.millpond.admission.Unique.OnConflict;
import dev.millpond.admission.UniqueSql.Remembered;
import dev.millpond.admission.UniqueSql.UniqueKey;
import dev.millpond.admission.Write.Outcome;
import dev.millpond.admission.Write.Result;
import dev.millpond.job.JobIds;
import dev.millpond.job.Watches;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.TransactionStatus;

/**
 * Writes groups of submits. Where nobody has a unique key, one statement does it. Else it is one
 * transaction: the keys are taken, the jobs that have theirs are written, and the others merge into
 * the jobs that hold them. What is answered is true at the commit, since until then the holders can
 * neither start nor end.
 */
@Component
class Uniqueness {

  private static final Logger log = LoggerFactory.getLogger(Uniqueness.class);
  private static final HexFormat HEX = HexFormat.of();

  private final AdmissionSql jobs;
  private final UniqueSql sql;
  private final Permits permits;
  private final Watches watches;
  private final ApplicationEventPublisher events;
  private final MeterRegistry meters;
  private final WriteTransaction transaction;

  Uniqueness(
      AdmissionSql jobs,
      UniqueSql sql,
      Permits permits,
      Watches watches,
      ApplicationEventPublisher events,
      MeterRegistry meters,
      WriteTransaction transaction) {
    this.jobs = jobs;
    this.sql = sql;
    this.permits = permits;
    this.watches = watches;
    this.events = events;
    this.meters = meters;
    this.transaction = transaction;
  }

  /**
   * Writes a group, and answers what became of each.
   *
   * @throws CannotAcquireLockException if the group cannot be written together: nothing was
   */
  List<Outcome> write(List<Write> writes) {
    if (writes.stream().noneMatch(Write::isUnique)) {
      List<Result> results = jobs.submit(writes);
      return IntStream.range(0, writes.size())
          .mapToObj(n -> plain(results.get(n), writes.get(n)))
          .toList();
    }
    List<Outcome> outcomes = Objects.requireNonNull(transaction.execute(new Group(writes)::write));
    outcomes.forEach(this::count);
    return outcomes;
  }

  private static Outcome plain(Result result, Write write) {
    return new Outcome(result, result == Result.WRITTEN ? write.entries() : List.of(), List.of());
  }

  private void count(Outcome outcome) {
    if (outcome.result() != Result.MOVING) {
      for (Placed job : outcome.placed()) {
        if (job.as() != As.WRITTEN) {
          meters.counter("millpond.submits.duplicate", "answer", job.as().label()).increment();
        }
      }
    }
  }

  /** Who keeps a whole request out. */
  Decision.Duplicate duplicate(Write write, Outcome outcome) {
    List<Placed> placed = outcome.placed();
    int place =
        IntStream.range(0, placed.size())
            .filter(n -> placed.get(n).as() == As.DUPLICATE)
            .findFirst()
            .orElseThrow();
    UUID holder = placed.get(place).id();
    boolean own = write.entries().stream().anyMatch(entry -> entry.id().equals(holder));
    return new Decision.Duplicate(place, own ? null : holder);
  }

  /** Returns when the job is where it was to be moved. */
  void await(Outcome outcome) {
    sql.await(outcome.placed().getFirst().id());
  }

  /** Who has the key that a finished job would need again. */
  Optional<UUID> holder(UUID finished) {
    return sql.holder(finished);
  }

  @Scheduled(fixedDelayString = "PT1M", initialDelayString = "PT1M")
  void sweep() {
    try {
      int removed = 1;
      while (removed > 0) {
        removed = sql.sweep();
      }
    } catch (DataAccessException | TransactionException away) {
      log.debug("Cannot remove unique keys: {}", away.getMessage());
    }
  }

  /** A group of submits while it is written. */
  private final class Group {

    private final List<Write> writes;

    /** Who has each key that somebody wants. */
    private final Map<UniqueKey, UUID> holders = new HashMap<>();

    /** Whether a holder waits; without those that are moving, and those that nobody replaces. */
    private final Map<UUID, Boolean> waiting = new HashMap<>();

    /** Jobs of the group that have taken their keys. */
    private final Set<UUID> takers = new HashSet<>();

    /** Of these, those that are not written after all. */
    private final Set<UUID> released = new HashSet<>();

    private final Map<UUID, Submission> replacements = new LinkedHashMap<>();

    Group(List<Write> writes) {
      this.writes = writes;
    }

    List<Outcome> write(TransactionStatus status) {
      Set<String> used = used();
      List<Write> fresh = writes.stream().filter(write -> !isUsed(write, used)).toList();
      take(fresh);
      List<Outcome> outcomes =
          writes.stream()
              .map(write -> isUsed(write, used) ? nothing(Result.KEY_TAKEN) : decide(write))
              .toList();
      if (!released.isEmpty()) {
        sql.release(released);
      }
      Result result = submit(outcomes);
      if (result == Result.WRITTEN) {
        if (!replacements.isEmpty()) {
          sql.replace(replacements);
          WriteTransaction.afterCommit(() -> announce(outcomes));
        }
        return outcomes;
      }
      if (writes.size() > 1) {
        throw new CannotAcquireLockException("one of the group cannot be written");
      }
      status.setRollbackOnly();
      replacements.clear();
      return List.of(nothing(result));
    }

    /** Who came for a job while it was being replaced has passed over it. */
    private void announce(List<Outcome> outcomes) {
      Set<QueueName> passedOver =
          IntStream.range(0, writes.size())
              .filter(
                  n -> outcomes.get(n).placed().stream().anyMatch(job -> job.as() == As.REPLACED))
              .mapToObj(n -> new QueueName(writes.get(n).entries().getFirst().queue()))
              .collect(toSet());
      events.publishEvent(new JobsReady(passedOver, false));
      events.publishEvent(new JobsDelayed(Duration.ZERO));
      replacements.keySet().forEach(watches::changed);
    }

    /** Those of the requests' keys that were used before: they are not to meet their own jobs. */
    private Set<String> used() {
      List<RequestKey> keys =
          writes.stream().filter(Write::isUnique).map(Write::key).filter(Objects::nonNull).toList();
      return keys.isEmpty() ? Set.of() : sql.used(keys);
    }

    private static boolean isUsed(Write write, Set<String> used) {
      return write.key() != null && used.contains(HEX.formatHex(write.key().hash()));
    }

    private static Outcome nothing(Result result) {
      return new Outcome(result, List.of(), List.of());
    }

    /** The first one of the group that wants a key takes it, unless somebody has it. */
    private void take(List<Write> wanting) {
      Map<UniqueKey, Entry> first = new LinkedHashMap<>();
      Set<UniqueKey> replaced = new HashSet<>();
      for (Write write : wanting) {
        for (Entry entry : write.entries()) {
          Unique unique = entry.job().unique();
          if (unique != null) {
            UniqueKey key = new UniqueKey(entry.queue(), unique.key());
            first.putIfAbsent(key, entry);
            if (unique.onConflict() == OnConflict.REPLACE) {
              replaced.add(key);
            }
          }
        }
      }
      if (first.isEmpty()) {
        return;
      }
      takers.addAll(sql.take(first.values()));
      takers.forEach(job -> waiting.put(job, true));
      first.forEach((key, entry) -> holders.put(key, entry.id()));
      List<UniqueKey> held =
          first.keySet().stream().filter(key -> !takers.contains(holders.get(key))).toList();
      if (!held.isEmpty()) {
        holders.putAll(sql.holders(held));
      }
      List<UUID> asked =
          held.stream()
              .filter(replaced::contains)
              .map(holders::get)
              .map(Objects::requireNonNull)
              .toList();
      if (!asked.isEmpty()) {
        waiting.putAll(sql.waiting(asked));
      }
    }

    private Outcome decide(Write write) {
      List<Entry> written = new ArrayList<>();
      List<Placed> placed = new ArrayList<>();
      Map<UUID, Submission> replacing = new LinkedHashMap<>();
      for (Entry entry : write.entries()) {
        Unique unique = entry.job().unique();
        UUID holder = unique == null ? entry.id() : holder(entry, unique);
        if (unique == null || holder.equals(entry.id())) {
          written.add(entry);
          placed.add(new Placed(As.WRITTEN, entry.id()));
        } else if (isMoving(unique, holder)) {
          return undo(write, Result.MOVING, List.of(new Placed(As.DUPLICATE, holder)));
        } else {
          As as = as(unique, holder);
          placed.add(new Placed(as, holder));
          if (as == As.REPLACED) {
            replacing.put(holder, entry.job());
          }
        }
      }
      if (write.whole() && placed.stream().anyMatch(job -> job.as() == As.DUPLICATE)) {
        return undo(write, Result.DUPLICATE, placed);
      }
      replacements.putAll(replacing);
      return new Outcome(Result.WRITTEN, written.stream().map(this::ranked).toList(), placed);
    }

    private UUID holder(Entry entry, Unique unique) {
      return Objects.requireNonNull(holders.get(new UniqueKey(entry.queue(), unique.key())));
    }

    /** Whether it cannot be told what becomes of a job whose key that one holds. */
    private boolean isMoving(Unique unique, UUID holder) {
      return released.contains(holder)
          || (unique.onConflict() == OnConflict.REPLACE && !waiting.containsKey(holder));
    }

    private As as(Unique unique, UUID holder) {
      return switch (unique.onConflict()) {
        case EXISTING -> As.EXISTING;
        case REJECT -> As.DUPLICATE;
        case REPLACE -> Boolean.TRUE.equals(waiting.get(holder)) ? As.REPLACED : As.DUPLICATE;
      };
    }

    private Outcome undo(Write write, Result result, List<Placed> placed) {
      write.entries().stream().map(Entry::id).filter(takers::contains).forEach(released::add);
      return new Outcome(result, List.of(), placed);
    }

    /** Now that it is written it takes its turn. */
    private Entry ranked(Entry entry) {
      return entry.job().unique() == null || !entry.job().isForNow()
          ? entry
          : entry.ranked(
              permits.rank(
                  new QueueName(entry.queue()), entry.job(), JobIds.submittedAt(entry.id())));
    }

    /** Anything but WRITTEN says that nothing of the group can stay. */
    private Result submit(List<Outcome> outcomes) {
      List<Write> writing = new ArrayList<>();
      List<Remembered> merged = new ArrayList<>();
      for (int i = 0; i < writes.size(); i++) {
        Write write = writes.get(i);
        Outcome outcome = outcomes.get(i);
        RequestKey key = outcome.isMerged() ? null : write.key();
        if (!outcome.written().isEmpty()) {
          writing.add(new Write(write.account(), outcome.written(), key, write.whole()));
        }
        if (outcome.isMerged() && write.key() != null && outcome.result() == Result.WRITTEN) {
          merged.add(remembered(write.key(), outcome.placed()));
        }
      }
      Result result =
          writing.isEmpty()
              ? Result.WRITTEN
              : jobs.submit(writing).stream()
                  .filter(one -> one != Result.WRITTEN)
                  .findFirst()
                  .orElse(Result.WRITTEN);
      if (result == Result.WRITTEN && !merged.isEmpty() && sql.remember(merged) < merged.size()) {
        return Result.KEY_TAKEN;
      }
      return result;
    }

    private static Remembered remembered(RequestKey key, List<Placed> placed) {
      List<@Nullable UUID> ids = new ArrayList<>();
      placed.forEach(job -> ids.add(job.as() == As.DUPLICATE ? null : job.id()));
      List<UUID> there =
          placed.stream()
              .filter(job -> job.as() == As.EXISTING || job.as() == As.REPLACED)
              .map(Placed::id)
              .toList();
      return new Remembered(key, ids, there);
    }
  }
}
