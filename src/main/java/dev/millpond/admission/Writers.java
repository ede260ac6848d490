package dev.millpond.admission;

import dev.millpond.admission.AdmissionSql.UsedKey;
import dev.millpond.job.GroupCommit;
import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/** The writers of submits, which commit many of them together, and what became of each. */
@Component
class Writers {

  /** How many submits may wait for a writer. */
  private static final int MAX_WAITING = 10_000;

  private static final int MAX_GROUP_ROWS = 1_000;

  private final Permits permits;
  private final AdmissionSql sql;
  private final Uniqueness uniqueness;
  private final Duration keyRetention;
  private final GroupCommit<List<Write>, List<Write.Outcome>> writer;

  /** Apart, since they may have to wait for predecessors that are being changed. */
  private final GroupCommit<List<Write>, List<Write.Outcome>> dependentWriter;

  Writers(
      Permits permits,
      AdmissionSql sql,
      Uniqueness uniqueness,
      DependentWrites dependents,
      AdmissionProperties properties) {
    this.permits = permits;
    this.sql = sql;
    this.uniqueness = uniqueness;
    this.keyRetention = properties.keyRetention();
    this.writer = writer("submits", uniqueness::write);
    this.dependentWriter = writer("dependent submits", dependents::write);
  }

  /** What is handed in is what one request has to write: the lines of a stream, say. */
  private static GroupCommit<List<Write>, List<Write.Outcome>> writer(
      String name, Function<List<Write>, List<Write.Outcome>> write) {
    return new GroupCommit<>(
        name,
        MAX_WAITING,
        MAX_GROUP_ROWS,
        writes -> writes.stream().mapToInt(one -> one.entries().size()).sum(),
        group -> {
          Iterator<Write.Outcome> outcomes =
              write.apply(group.stream().flatMap(List::stream).toList()).iterator();
          return group.stream()
              .map(writes -> writes.stream().map(_ -> outcomes.next()).toList())
              .toList();
        });
  }

  /**
   * What the writer says.
   *
   * @param decision null if it is to be tried again, or there was a failure: nothing was written
   */
  record Answer(
      @Nullable Decision decision, List<Entry> written, @Nullable RuntimeException failure) {

    Answer(@Nullable Decision decision, List<Entry> written) {
      this(decision, written, null);
    }

    Answer(Decision decision) {
      this(decision, List.of());
    }

    boolean isToTryAgain() {
      return decision == null && failure == null;
    }
  }

  /**
   * Hands writes to one commit, dependent ones or none, and waits for what becomes of each.
   *
   * @throws RuntimeException if none of them could be written
   */
  List<Answer> write(Reservation reservation, List<Write> writes, Duration patience) {
    GroupCommit<List<Write>, List<Write.Outcome>> to =
        writes.getFirst().isDependent() ? dependentWriter : writer;
    CompletableFuture<List<Write.Outcome>> result;
    try {
      result = to.add(writes);
    } catch (IllegalStateException full) {
      return alike(writes, new Answer(new Decision.Overloaded()));
    }
    try {
      List<Write.Outcome> outcomes = result.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      return IntStream.range(0, writes.size())
          .mapToObj(place -> told(reservation, writes.get(place), outcomes.get(place)))
          .toList();
    } catch (TimeoutException late) {
      boolean unwritten = to.withdraw(result);
      return alike(
          writes, unwritten ? new Answer(new Decision.Overloaded()) : unknown(reservation));
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return alike(writes, unknown(reservation));
    } catch (ExecutionException failed) {
      Decision decision = failed(writes, failed.getCause());
      return alike(
          writes,
          decision instanceof Decision.OutcomeUnknown
              ? unknown(reservation)
              : new Answer(decision));
    }
  }

  private static List<Answer> alike(List<Write> writes, Answer answer) {
    return Collections.nCopies(writes.size(), answer);
  }

  private Answer unknown(Reservation reservation) {
    permits.doubt(reservation.books());
    return new Answer(new Decision.OutcomeUnknown());
  }

  /** The others may be committed: what cannot be told of one is no failure of theirs. */
  private Answer told(Reservation reservation, Write write, Write.Outcome outcome) {
    try {
      return answer(reservation, write, outcome);
    } catch (DataAccessException | TransactionException failure) {
      return new Answer(null, List.of(), failure);
    }
  }

  private Answer answer(Reservation reservation, Write write, Write.Outcome outcome) {
    return switch (outcome.result()) {
      case WRITTEN ->
          new Answer(
              outcome.isMerged()
                  ? new Decision.Merged(outcome.placed())
                  : new Decision.Accepted(outcome.written().stream().map(Entry::toJob).toList()),
              outcome.written());
      case KEY_TAKEN -> new Answer(taken(write));
      case ACCOUNT_CLOSED -> {
        permits.doubt(reservation.books());
        yield new Answer(null, List.of());
      }
      case PREDECESSORS_GONE ->
          new Answer(knownOr(new Decision.PredecessorsGone(outcome.gone()), write.key()));
      case PREDECESSORS_MOVING -> new Answer(new Decision.Overloaded());
      case DUPLICATE -> new Answer(uniqueness.duplicate(write, outcome));
      case MOVING -> {
        uniqueness.await(outcome);
        yield new Answer(null, List.of());
      }
    };
  }

  private static Decision failed(List<Write> writes, @Nullable Throwable cause) {
    Write write = writes.getFirst();
    return switch (cause) {
      case CannotGetJdbcConnectionException away -> throw away;
      case PessimisticLockingFailureException one when writes.size() > 1 -> throw one;
      // Another submit holds a key and does not commit.
      case PessimisticLockingFailureException e when write.isUnique() -> new Decision.Overloaded();
      case PessimisticLockingFailureException e when write.key() != null ->
          new Decision.KeyInFlight();
      // The connection broke while the statement was under way.
      case DataAccessResourceFailureException e -> new Decision.OutcomeUnknown();
      case QueryTimeoutException e -> new Decision.OutcomeUnknown();
      case RuntimeException other -> throw other;
      case null, default -> throw new IllegalStateException(cause);
    };
  }

  /** Another submit took the key between the look and the write. */
  private Decision taken(Write write) {
    return known(Objects.requireNonNull(write.key())).orElse(new Decision.KeyInFlight());
  }

  private static Decision replay(UsedKey used, RequestKey key) {
    return used.isOf(key)
        ? new Decision.Replayed(used.jobs(), used.merged())
        : new Decision.KeyReused();
  }

  /** What a key was used for; empty if it was not. */
  Optional<Decision> known(RequestKey key) {
    return sql.find(key).map(used -> replay(used, key));
  }

  /**
   * Few requests are repeated, so that the key is looked for only when its jobs were not written.
   */
  Decision knownOr(Decision refusal, @Nullable RequestKey key) {
    return key == null ? refusal : known(key).orElse(refusal);
  }

  @Scheduled(fixedDelayString = "PT5M", initialDelayString = "PT1M")
  void forgetKeys() {
    sql.forgetKeys(keyRetention);
  }

  @PreDestroy
  void close() {
    writer.close();
    dependentWriter.close();
  }
}
