package dev.millpond.admission;

import dev.millpond.admission.Room.Sums;
import dev.millpond.queue.QueueName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The statements that keep the books of admission: who may admit how much. A request meets them
 * only when its node has run out of permits.
 */
@Component
final class RoomSql {

  /** The account of nobody: to it goes what is left of closed ones. */
  private static final UUID NOBODY = new UUID(0, 0);

  /** The name under which the room of the whole service is granted. */
  static final String ALL_QUEUES = "";

  /** A node that stands still in the middle of a balance must not hold up the others for long. */
  private static final String PATIENCE =
      """
      select set_config('lock_timeout', '1500ms', true),
             set_config('idle_in_transaction_session_timeout', '3s', true)
      """;

  /** Held while a grant is decided, so that no two nodes take the same room. */
  private static final String LOCK =
      """
      select pg_advisory_xact_lock(hashtext('millpond.room'), hashtext(:queue))
      """;

  /**
   * Whether this node's books are open; locks them as a submit does, so that nobody closes them
   * meanwhile. By the primary key.
   */
  private static final String OPEN =
      """
      select id from account where id = :account for key share
      """;

  /**
   * By the index room_queue, or of all rows for all queues together, for which room is granted
   * under a name of its own. The rows are few, since each account's are summed up. An account
   * through which more came back than it held permits for holds none.
   */
  private static final String SUMS =
      """
      select coalesce(sum(waiting), 0) as waiting,
             coalesce(sum(waiting) filter (where books.account <> :account), 0) as waiting_elsewhere,
             coalesce(sum(runnable) filter (where books.account <> :account), 0) as runnable_elsewhere,
             coalesce(sum(greatest(0, granted - waiting)) filter (where account.id is not null), 0) as held,
             coalesce(sum(granted - waiting) filter (where books.account = :account), 0) as own,
             (select count(*) from account) as nodes
      from (select account, sum(waiting) as waiting, sum(runnable) as runnable,
                   coalesce(sum(granted) filter (where queue = :queue), 0) as granted
            from room
            where :queue::text = '' or queue = :queue
            group by account) as books
      left join account on account.id = books.account
      """;

  /** Takes permits from the pool, or gives some back. */
  private static final String TAKE =
      """
      insert into room (queue, account, waiting, runnable, granted)
      values (:queue, :account, 0, 0, :granted)
      """;

  /** What waits in each queue, through whose books. */
  private static final String WAITING =
      """
      select queue, tenant, sum(waiting) as waiting, sum(runnable) as runnable
      from room
      where queue <> '' and account <> :account
      group by queue, tenant
      having sum(waiting) <> 0 or sum(runnable) <> 0
      """;

  /**
   * Keeps this node's account open and closes those of nodes that are not heard of any more. Until
   * the server has been up for one lease nothing is closed, since nobody could be heard of.
   */
  private static final String RENEW =
      """
      with renewed as (
        update account set expires_at = now() + :lease_ms * interval '1 ms'
        where id = :account
        returning id
      ), closed as (
        delete from account
        where id in (
          select id from account
          where id <> :account and expires_at < now()
            and pg_postmaster_start_time() < now() - :lease_ms * interval '1 ms'
          for update skip locked)
        returning id
      )
      select exists (select from renewed) as open,
             (select count(*) from account) - (select count(*) from closed) as accounts,
             (select count(*) from closed) as closed
      """;

  /** Sums up the rows of this account. */
  private static final String FOLD =
      """
      with summed as (
        delete from room where account = :account
        returning queue, tenant, waiting, runnable, granted
      )
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :account, tenant, sum(waiting), sum(runnable), sum(granted)
      from summed
      group by queue, tenant
      having sum(waiting) <> 0 or sum(runnable) <> 0 or sum(granted) <> 0
      """;

  /** Sums up what closed accounts have left: their jobs wait, their permits are free again. */
  private static final String FOLD_CLOSED =
      """
      with summed as (
        delete from room where not exists (select from account where account.id = room.account)
        returning queue, tenant, waiting, runnable
      )
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :nobody, tenant, sum(waiting), sum(runnable), 0
      from summed
      group by queue, tenant
      having sum(waiting) <> 0 or sum(runnable) <> 0
      """;

  /** Closes this node's account, and those of its former lives. */
  private static final String CLOSE_FORMER =
      """
      delete from account where node = :node
      """;

  private static final String CLOSE =
      """
      delete from account where id = :account
      """;

  /**
   * Whoever changes how many jobs wait inserts into room in the same statement: this waits for
   * those at work and holds up all others.
   */
  private static final String LOCK_ALL =
      """
      lock table room in share row exclusive mode
      """;

  private static final String OPEN_ACCOUNTS =
      """
      select count(*) from account where expires_at > now()
      """;

  /** Those that are left have expired: none may come back to life, since its permits are gone. */
  private static final String CLOSE_ALL =
      """
      delete from account
      """;

  private static final String FORGET_ALL =
      """
      delete from room
      """;

  /**
   * Counts what waits: what the books say is right by itself, but for what somebody changed by
   * hand. Only under LOCK_ALL, and while no node has an open account.
   */
  private static final String COUNT =
      """
      insert into room (queue, account, tenant, waiting, runnable, granted)
      select queue, :nobody, tenant, count(*), sum(runnable), 0
      from (select queue, tenant, 1 as runnable from ready
            union all
            select queue, tenant, 0 from delayed) as waiting
      group by queue, tenant
      """;

  private static final String ENTER =
      """
      insert into account (id, node, expires_at) values (:account, :node, now() + :lease_ms * interval '1 ms')
      """;

  /** Writes how quickly this node starts a queue's jobs, and reads what the others have told. */
  private static final String PACE =
      """
      with told as (
        insert into pace (queue, node, per_second, fronts, updated_at, refused_at)
        values (:queue, :node, :per_second, :fronts, now(), case when :refused then now() end)
        on conflict (queue, node) do update
        set per_second = excluded.per_second, fronts = excluded.fronts, updated_at = excluded.updated_at,
            refused_at = coalesce(excluded.refused_at, pace.refused_at)
      )
      select per_second, fronts, coalesce(refused_at > now() - interval '5 s', false) as refusing
      from pace
      where queue = :queue and node <> :node and updated_at > now() - interval '10 s'
      """;

  /** What this node last knew, in a former life. */
  private static final String PACES =
      """
      select queue, per_second from pace where node = :node
      """;

  private final JdbcClient jdbc;
  private final TransactionTemplate transaction;

  RoomSql(JdbcClient jdbc, TransactionTemplate transaction) {
    this.jdbc = jdbc;
    this.transaction = transaction;
  }

  /** Decides how many permits to take, or, negative, to give back, from the sums under the lock. */
  interface Plan {
    int take(Sums sums);
  }

  /**
   * Takes permits for a queue, or gives some back.
   *
   * @return false if the account is closed: nothing was taken
   */
  boolean balance(UUID account, String queue, int cap, Plan plan) {
    return Boolean.TRUE.equals(
        transaction.execute(
            status -> {
              jdbc.sql(PATIENCE).query().listOfRows();
              jdbc.sql(LOCK).param("queue", queue).query().listOfRows();
              if (jdbc.sql(OPEN).param("account", account).query().listOfRows().isEmpty()) {
                return false;
              }
              int granted = plan.take(sums(account, queue, cap));
              if (granted != 0) {
                jdbc.sql(TAKE)
                    .param("queue", queue)
                    .param("account", account)
                    .param("granted", granted)
                    .update();
              }
              return true;
            }));
  }

  private Sums sums(UUID account, String queue, int cap) {
    return jdbc.sql(SUMS)
        .param("queue", queue)
        .param("account", account)
        .query(
            (row, n) ->
                new Sums(
                    cap - row.getLong("waiting") - row.getLong("held"),
                    row.getLong("waiting_elsewhere"),
                    row.getLong("runnable_elsewhere"),
                    row.getLong("own"),
                    row.getInt("nodes")))
        .single();
  }

  /**
   * Opens an account for this node, and closes what it had in former lives. Where no other node is
   * there, the books begin with a count.
   */
  void open(UUID account, String node, Duration lease) {
    // By itself: a submit that waits for it must not be waited for by the lock below.
    jdbc.sql(CLOSE_FORMER).param("node", node).update();
    transaction.executeWithoutResult(
        status -> {
          if (isAlone()) {
            jdbc.sql(LOCK_ALL).update();
            if (isAlone()) {
              jdbc.sql(CLOSE_ALL).update();
              jdbc.sql(FORGET_ALL).update();
              jdbc.sql(COUNT).param("nobody", NOBODY).update();
            }
          }
          jdbc.sql(ENTER)
              .param("account", account)
              .param("node", node)
              .param("lease_ms", lease.toMillis())
              .update();
        });
    foldClosed();
  }

  private boolean isAlone() {
    return jdbc.sql(OPEN_ACCOUNTS).query(Integer.class).single() == 0;
  }

  /** Closes this node's account: its permits are everybody's at once. */
  void close(UUID account) {
    jdbc.sql(CLOSE).param("account", account).update();
  }

  /**
   * How the accounts stand.
   *
   * @param open whether this node's is open
   * @param accounts how many are
   * @param closed how many were closed just now
   */
  record Accounts(boolean open, int accounts, int closed) {}

  Accounts renew(UUID account, Duration lease) {
    return jdbc.sql(RENEW)
        .param("account", account)
        .param("lease_ms", lease.toMillis())
        .query(
            (row, n) ->
                new Accounts(row.getBoolean("open"), row.getInt("accounts"), row.getInt("closed")))
        .single();
  }

  void fold(UUID account) {
    jdbc.sql(FOLD).param("account", account).update();
  }

  void foldClosed() {
    jdbc.sql(FOLD_CLOSED).param("nobody", NOBODY).update();
  }

  /** How many jobs of a queue and a tenant wait, and how many of them for nothing but a slot. */
  record Waiting(QueueName queue, @Nullable String tenant, long waiting, long runnable) {}

  /** What waits through the books of others. */
  List<Waiting> elsewhere(UUID account) {
    return jdbc.sql(WAITING)
        .param("account", account)
        .query(
            (row, n) ->
                new Waiting(
                    new QueueName(row.getString("queue")),
                    row.getString("tenant"),
                    row.getLong("waiting"),
                    row.getLong("runnable")))
        .list();
  }

  /**
   * What the other nodes tell of a queue.
   *
   * @param perSecond how many of its jobs they start in a second
   * @param refusing how many of them send clients away
   * @param fronts the ranks to which they have started its jobs, by priority
   */
  record Others(double perSecond, int refusing, List<Long> fronts) {

    static final Others NONE = new Others(0, 0, List.of());

    static Others of(ResultSet row) throws SQLException {
      return new Others(
          row.getDouble("per_second"),
          row.getBoolean("refusing") ? 1 : 0,
          List.of((Long[]) row.getArray("fronts").getArray()));
    }

    Others and(Others other) {
      return new Others(
          perSecond + other.perSecond,
          refusing + other.refusing,
          IntStream.range(0, fronts.size())
              .mapToObj(n -> Math.max(fronts.get(n), other.fronts.get(n)))
              .toList());
    }
  }

  Optional<Others> pace(
      QueueName queue, String node, double perSecond, boolean refused, List<Long> fronts) {
    return jdbc
        .sql(PACE)
        .param("queue", queue.value())
        .param("node", node)
        .param("per_second", perSecond)
        .param("fronts", new SqlArrayValue("bigint", fronts.toArray()))
        .param("refused", refused)
        .query((row, n) -> Others.of(row))
        .list()
        .stream()
        .reduce(Others::and);
  }

  Map<String, Double> paces(String node) {
    Map<String, Double> paces = new HashMap<>();
    jdbc.sql(PACES)
        .param("node", node)
        .query(
            row -> {
              paces.put(row.getString("queue"), row.getDouble("per_second"));
            });
    return paces;
  }
}
