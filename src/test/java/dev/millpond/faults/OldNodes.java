package dev.millpond.faults;

import dev.millpond.testing.Database;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * What nodes of an old version do to the tables, over and over: one connection each for what they
 * do to jobs on their way. A statement that waits for a lock for a second fails.
 */
final class OldNodes implements AutoCloseable {

  private static final Map<String, String> STATEMENTS =
      Map.of(
          "submit",
          """
          with added as (
            insert into job (id, timeout_ms, initial_delay_ms, max_delay_ms, multiplier, max_attempts, priority, queue, type)
            values (uuidv7(), 300000, 1000, 600000, 2, 5, 4, 'old', 'demo.noop')
            returning *
          ), keyed as (
            insert into idempotency_key (key, fingerprint, jobs)
            select sha256(id::text::bytea), sha256('body'), array[id] from added
          ), booked as (
            insert into room (queue, account, waiting, runnable, granted)
            select queue, '00000000-0000-0000-0000-000000000000', 1, 1, 0 from added
          )
          insert into ready (id, rank, runnable_at, version, attempt, recoveries, max_attempts, priority, queue, type)
          select id, (extract(epoch from now()) * 1000000)::bigint, now(), 1, 0, 0, max_attempts, priority, queue, type
          from added
          """,
          "submit for later",
          """
          with added as (
            insert into job (id, run_at, timeout_ms, initial_delay_ms, max_delay_ms, multiplier, max_attempts, priority,
                             queue, type)
            values (uuidv7(), now(), 300000, 1000, 600000, 2, 5, 4, 'old', 'demo.noop')
            returning *
          )
          insert into delayed (id, due_at, version, attempt, recoveries, max_attempts, priority, queue)
          select id, run_at, 1, 0, 0, max_attempts, priority, queue from added
          """,
          "promote",
          """
          with due as (
            delete from delayed
            where ctid = any(array(
              select ctid from delayed where due_at <= now() order by due_at limit 100 for update skip locked))
            returning *
          )
          insert into ready (id, rank, runnable_at, version, attempt, recoveries, max_attempts, priority, queue)
          select id, (extract(epoch from due_at) * 1000000)::bigint, due_at, version + 1, attempt, recoveries, max_attempts,
                 priority, queue
          from due
          """,
          "claim",
          """
          with taken as (
            delete from ready
            where ctid = any(array(
              select ctid from ready
              where queue = 'old' and recoveries = 0
              order by priority desc, rank, id
              limit 10
              for update skip locked))
            returning *
          )
          insert into lease (id, token, expires_at, leased_at, started_at, rank, runnable_at, version, attempt, recoveries,
                             max_attempts, priority, cancel_requested, incarnation, worker, queue)
          select id, gen_random_uuid(), now() + interval '1 h', now(), now(), rank, runnable_at, version + 1, attempt + 1,
                 recoveries, max_attempts, priority, false, gen_random_uuid(), 'old', queue
          from taken
          """,
          "renew",
          """
          update lease set expires_at = now() + interval '1 h'
          where ctid = any(array(select ctid from lease limit 10 for no key update skip locked))
          """,
          "settle",
          """
          with ended as (
            delete from lease
            where ctid = any(array(select ctid from lease limit 10 for update skip locked))
            returning *
          )
          insert into finished (id, finished_at, leased_at, started_at, version, attempt, recoveries, max_attempts, state)
          select id, now(), leased_at, started_at, version + 1, attempt, recoveries, max_attempts, 'succeeded'
          from ended
          """,
          "look",
          "select id, state, version from find_job((select id from lease limit 1))",
          "retry",
          """
          with ended as (
            delete from lease
            where ctid = any(array(select ctid from lease limit 1 for update skip locked))
            returning *
          ), history as (
            insert into attempt (id, started_at, finished_at, number, worker)
            select id, leased_at, now(), attempt, worker from ended
          )
          insert into delayed (id, due_at, started_at, version, attempt, recoveries, max_attempts, priority, queue)
          select id, now(), started_at, version + 1, attempt, recoveries, max_attempts, priority, queue from ended
          """);

  /** So many of each kind, to say that they go on. */
  private static final int SOME = 20;

  private static final Duration SOON = Duration.ofSeconds(30);

  /** One kind of statement, how many of it have ended, and how many of these did not fail. */
  private record Kind(String name, String sql, AtomicLong ended, AtomicLong done) {}

  /** Of a statement that waited for a lock for too long. */
  private static final String LOCK_TIMEOUT = "55P03";

  private final Database.Details database;
  private final List<Kind> kinds;
  private final List<Thread> threads = new ArrayList<>();
  private final Set<String> failures = ConcurrentHashMap.newKeySet();
  private final Set<String> lockedOut = ConcurrentHashMap.newKeySet();

  /** Of the statements that ended since something was done beside them. */
  private final AtomicLong longestNanos = new AtomicLong();

  private volatile String beside = "nothing";
  private volatile boolean stopped;

  OldNodes(Database.Details database) {
    this.database = database;
    this.kinds =
        STATEMENTS.entrySet().stream()
            .map(
                entry ->
                    new Kind(entry.getKey(), entry.getValue(), new AtomicLong(), new AtomicLong()))
            .toList();
    kinds.forEach(
        kind -> threads.add(Thread.ofPlatform().name(kind.name).start(() -> repeat(kind))));
  }

  private void repeat(Kind kind) {
    try (Connection connection = database.connect();
        Statement settings = connection.createStatement();
        PreparedStatement statement = connection.prepareStatement(kind.sql)) {
      settings.execute("set lock_timeout = '1s'");
      while (!stopped) {
        execute(kind, statement);
        kind.ended.incrementAndGet();
      }
    } catch (SQLException failed) {
      failures.add(kind.name + " cannot even begin: " + failed.getMessage());
    }
  }

  private void execute(Kind kind, PreparedStatement statement) {
    long began = System.nanoTime();
    try {
      boolean _ = statement.execute();
      longestNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
      kind.done.incrementAndGet();
    } catch (SQLException failed) {
      (LOCK_TIMEOUT.equals(failed.getSQLState()) ? lockedOut : failures)
          .add(kind.name + " beside " + beside + ": " + failed.getMessage());
    }
  }

  /**
   * Does something while they work, and lets them work on after it.
   *
   * @return how long the slowest statement took meanwhile
   */
  Duration beside(String name, Runnable work) {
    await(Kind::ended);
    beside = name;
    longestNanos.set(0);
    work.run();
    await(Kind::ended);
    return Duration.ofNanos(longestNanos.get());
  }

  /** Waits until every kind of statement has worked, on the connection that it had all the time. */
  void awaitDone() {
    await(Kind::done);
  }

  private void await(Function<Kind, AtomicLong> count) {
    List<Long> targets = kinds.stream().map(kind -> count.apply(kind).get() + SOME).toList();
    Awaitility.await("statements of all kinds")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(10))
        .until(
            () ->
                IntStream.range(0, kinds.size())
                    .allMatch(n -> count.apply(kinds.get(n)).get() >= targets.get(n)));
  }

  /** The statements that waited for a lock for a second. */
  Set<String> lockedOut() {
    return lockedOut;
  }

  /** Those that failed for another reason. */
  Set<String> failures() {
    return failures;
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join(SOON);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
