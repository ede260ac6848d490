package dev.millpond.job;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.NonTransientDataAccessException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;

/**
 * Lets rows of many callers share one statement and one commit. It never waits to fill a group:
 * whatever arrived while the last group committed is the next one ("smart batching"), so that a
 * single row at rest waits for nobody and a commit under load carries hundreds. One writer: a
 * second one was measured slower, and waiting a millisecond as well.
 *
 * @param <T> what a caller hands in
 * @param <R> what the write says of it
 */
public final class GroupCommit<T, R> implements AutoCloseable {

  private final BlockingQueue<Entry<T, R>> waiting;
  private final int maxRows;
  private final ToIntFunction<T> rows;
  private final Function<List<T>, List<R>> write;
  private final Thread writer;

  /** Set once by {@link #close}. */
  private volatile boolean closed;

  private record Entry<T, R>(T item, CompletableFuture<R> result) {}

  /**
   * @param name of the writer's thread
   * @param maxWaiting how many items may wait; more are refused
   * @param maxRows when a group is full; a single larger item still goes alone
   * @param rows how many rows an item has
   * @param write writes a group in one commit, and answers each item in the same order
   */
  public GroupCommit(
      String name,
      int maxWaiting,
      int maxRows,
      ToIntFunction<T> rows,
      Function<List<T>, List<R>> write) {
    this.waiting = new ArrayBlockingQueue<>(maxWaiting);
    this.maxRows = maxRows;
    this.rows = rows;
    this.write = write;
    this.writer = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  /**
   * Hands an item to the writer.
   *
   * @return what the write says of it, or the exception it ended with; never completes before the
   *     commit
   * @throws IllegalStateException if too many items wait, or the writer is closed: nothing was or
   *     will be written
   */
  public CompletableFuture<R> add(T item) {
    Entry<T, R> entry = new Entry<>(item, new CompletableFuture<>());
    if (closed || !waiting.offer(entry)) {
      throw new IllegalStateException("too many rows wait to be written");
    }
    // Closed meanwhile: nobody would take it any more.
    if (closed && waiting.remove(entry)) {
      throw new IllegalStateException("the service stops");
    }
    return entry.result();
  }

  /**
   * Takes an item back that no group has taken yet.
   *
   * @param result what {@link #add} returned for it
   * @return true if it will not be written
   */
  @SuppressWarnings("ReferenceEquality") // this very item is meant
  public boolean withdraw(CompletableFuture<R> result) {
    return waiting.removeIf(entry -> entry.result() == result);
  }

  private void run() {
    List<Entry<T, R>> group = new ArrayList<>();
    while (true) {
      try {
        collect(group);
      } catch (InterruptedException stopped) {
        return;
      }
      commit(group);
      group.clear();
    }
  }

  private void collect(List<Entry<T, R>> group) throws InterruptedException {
    Entry<T, R> entry = waiting.take();
    int size = 0;
    while (entry != null) {
      group.add(entry);
      size += rows.applyAsInt(entry.item());
      entry = size < maxRows ? waiting.poll() : null;
    }
  }

  private void commit(List<Entry<T, R>> group) {
    try {
      List<R> results = write.apply(group.stream().map(Entry::item).toList());
      for (int i = 0; i < group.size(); i++) {
        group.get(i).result().complete(results.get(i));
      }
    } catch (CannotGetJdbcConnectionException away) {
      // Nobody gets an answer sooner by waiting for another attempt.
      waiting.drainTo(group);
      fail(group, away);
    } catch (DataAccessResourceFailureException broken) {
      // Spring counts it among the non-transient ones, but what was sent may have been committed.
      fail(group, broken);
    } catch (NonTransientDataAccessException | PessimisticLockingFailureException refused) {
      // The statement was refused as a whole, and nothing written: one bad row must not fail its
      // neighbours.
      commitAlone(group, refused);
    } catch (RuntimeException | Error failed) {
      // Whatever it is, the writer lives on: without it nothing would be written any more.
      fail(group, failed);
    }
  }

  private void commitAlone(List<Entry<T, R>> group, RuntimeException refused) {
    if (group.size() == 1) {
      fail(group, refused);
    } else {
      group.forEach(entry -> commit(new ArrayList<>(List.of(entry))));
    }
  }

  private void fail(List<Entry<T, R>> group, Throwable failure) {
    group.forEach(entry -> entry.result().completeExceptionally(failure));
  }

  /** Stops the writer after the group at hand; what still waits is failed. */
  @Override
  public void close() {
    closed = true;
    writer.interrupt();
    List<Entry<T, R>> left = new ArrayList<>();
    waiting.drainTo(left);
    fail(left, new IllegalStateException("the service stops"));
  }
}
