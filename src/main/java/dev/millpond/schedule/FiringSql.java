package dev.millpond.schedule;

import dev.millpond.schedule.Firing.State;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;

/** The rows of due times: who fires one, and what became of it. */
@Component
final class FiringSql {

  /** How many firings of a schedule are kept, at least. */
  static final int KEPT = 100;

  /** How long a node has for a firing before another one takes it over. */
  static final Duration HOLD = Duration.ofSeconds(10);

  /** How much longer it has for each one that it fires before. */
  private static final Duration IN_LINE = Duration.ofMillis(50);

  /** How many firings are taken over at a time. */
  private static final int TAKEN_OVER = 100;

  /**
   * The claim of due times, by the primary keys of their schedules, whose rows it locks; what
   * another claim, a change or a delete has locked is skipped, and found again a moment later. The
   * row that is locked is the newest one, whatever the statement's snapshot says: what has been
   * fired to, its revision and a pause are judged there, and due is what the database's clock says
   * is due. Each due time gets its row here, in the transaction that moves the schedule on, so that
   * none has two and none is passed over. Answers the rows it made, or the schedule as the snapshot
   * has it.
   */
  private static final String CLAIM =
      """
      with planned as (
        select *
        from unnest(:ids::uuid[], :revisions::int[], :due_ats::timestamptz[], :states::text[], :holds_ms::bigint[])
          as p (id, revision, due_at, state, hold_ms)
      ), held as (
        select id, revision, paused, fired_to
        from schedule
        where id = any(:ids::uuid[])
        order by id
        for no key update skip locked
      ), due as (
        select p.id, p.due_at, p.state, p.hold_ms
        from planned p join held h on h.id = p.id and h.revision = p.revision
        where not h.paused and p.due_at > h.fired_to and p.due_at <= clock_timestamp()
      ), moved as (
        update schedule
        set fired_to = d.last
        from (select id, max(due_at) as last from due group by id) as d
        where schedule.id = d.id
      ), claimed as (
        insert into firing (schedule, due_at, held_until, decided_at, triggered, state, reason)
        select id, due_at,
               case when state = 'open' then now() + hold_ms * interval '1 ms' end,
               case when state = 'missed' then now() end, false, state,
               case when state = 'missed' then 'late' end
        from due
        on conflict do nothing
        returning schedule, due_at, state
      )
      select s.id, s.revision, s.fired_to, c.due_at, c.state
      from schedule s left join claimed c on c.schedule = s.id
      where s.id = any(:ids::uuid[])
      order by c.due_at
      """;

  /**
   * What dead nodes have left open, by the index firing_open; what somebody is about to settle is
   * skipped.
   */
  private static final String TAKE_OVER =
      """
      update firing
      set held_until = now() + :hold_s * interval '1 s'
      where ctid = any(array(
        select ctid from firing
        where state = 'open' and held_until < now()
        order by held_until
        limit :limit
        for update skip locked))
      returning schedule, due_at
      """;

  /** By the primary key; for how long this node wants to wait, and what for. */
  private static final String WAIT =
      """
      update firing
      set held_until = now() + :hold_ms * interval '1 ms', reason = :reason
      where schedule = :schedule and due_at = any(:due_ats::timestamptz[]) and not triggered and state = 'open'
      """;

  /**
   * By the primary key; waits for nobody but a settlement of the same firing. A job that is there
   * was fired, whatever another node thought meanwhile.
   */
  private static final String SETTLE =
      """
      update firing
      set state = :state, job = :job, reason = :reason, held_until = null, decided_at = now()
      where schedule = :schedule and due_at = :due_at and not triggered
        and (state = 'open' or (state <> 'fired' and :state = 'fired'))
      """;

  /** By the primary key, backwards: the firing before that may still have a job at work. */
  private static final String BEFORE =
      """
      select due_at, triggered, state, job, reason, decided_at
      from firing
      where schedule = :schedule and due_at < :due_at
        and (state = 'fired' or (state = 'open' and reason is null))
      order by due_at desc
      limit 1
      """;

  /** By the primary key; the same trigger repeated finds its row. None if the schedule is gone. */
  private static final String TRIGGERED =
      """
      insert into firing (schedule, job, due_at, decided_at, triggered, state)
      select id, :job, :due_at, now(), true, 'fired'
      from schedule
      where id = :schedule
      on conflict do nothing
      """;

  /** By the primary key, backwards. */
  private static final String LAST =
      """
      select due_at, triggered, state, job, reason, decided_at
      from firing
      where schedule = :schedule
      order by due_at desc, triggered desc
      limit :limit
      """;

  /** By the primary keys: what lies behind those that are kept. Open ones stay. */
  private static final String TRIM =
      """
      delete from firing
      using (
        select schedule.id, oldest.due_at
        from unnest(:ids::uuid[]) as schedule (id)
        cross join lateral (
          select due_at from firing
          where firing.schedule = schedule.id
          order by due_at desc
          offset :kept
          limit 1) as oldest) as old
      where firing.schedule = old.id and firing.due_at <= old.due_at and firing.state <> 'open'
      """;

  private final JdbcClient jdbc;

  FiringSql(JdbcClient jdbc) {
    this.jdbc = jdbc;
  }

  /**
   * A due time of a schedule that this node is about to claim.
   *
   * @param inLine how many of the schedule it fires before
   */
  record Planned(Armed armed, Plan plan, int inLine) {}

  /**
   * What a claim says of a schedule.
   *
   * @param firedTo before the claim, as far as was known
   * @param dueAt a due time that is recorded now; null if none is
   * @param fires whether this node has to fire it
   */
  record Claimed(UUID id, int revision, Instant firedTo, @Nullable Instant dueAt, boolean fires) {}

  List<Claimed> claim(List<Planned> planned) {
    List<Object> ids = new ArrayList<>();
    List<Object> revisions = new ArrayList<>();
    List<Object> dueAts = new ArrayList<>();
    List<Object> states = new ArrayList<>();
    List<Object> holds = new ArrayList<>();
    for (Planned one : planned) {
      ids.add(one.armed().id());
      revisions.add(one.armed().revision());
      dueAts.add(at(one.plan().dueAt()));
      states.add((one.plan().fires() ? State.OPEN : State.MISSED).label());
      holds.add(hold(one.inLine()));
    }
    return jdbc.sql(CLAIM)
        .param("ids", new SqlArrayValue("uuid", ids.toArray()))
        .param("revisions", new SqlArrayValue("int", revisions.toArray()))
        .param("due_ats", new SqlArrayValue("timestamptz", dueAts.toArray()))
        .param("states", new SqlArrayValue("text", states.toArray()))
        .param("holds_ms", new SqlArrayValue("bigint", holds.toArray()))
        .query(
            (row, n) ->
                new Claimed(
                    row.getObject("id", UUID.class),
                    row.getInt("revision"),
                    instant(row, "fired_to"),
                    orNull(row, "due_at"),
                    State.OPEN.label().equals(row.getString("state"))))
        .list();
  }

  /**
   * A due time that this node has to fire.
   *
   * @param claimedAt since when
   */
  record Due(UUID schedule, Instant dueAt, Instant claimedAt) {}

  List<Due> takeOver(Instant now) {
    return jdbc.sql(TAKE_OVER)
        .param("hold_s", HOLD.toSeconds())
        .param("limit", TAKEN_OVER)
        .query(
            (row, n) -> new Due(row.getObject("schedule", UUID.class), instant(row, "due_at"), now))
        .list();
  }

  /** Keeps due times of one schedule for longer. */
  void await(List<Due> due, Duration wait, @Nullable String reason) {
    jdbc.sql(WAIT)
        .param("schedule", due.getFirst().schedule())
        .param(
            "due_ats",
            new SqlArrayValue(
                "timestamptz", due.stream().map(one -> (Object) at(one.dueAt())).toArray()))
        .param("hold_ms", wait.toMillis() + hold(due.size()))
        .param("reason", reason)
        .update();
  }

  private static long hold(int inLine) {
    return HOLD.plus(IN_LINE.multipliedBy(inLine)).toMillis();
  }

  /** False if another node has settled it. */
  boolean settle(Due due, State state, @Nullable UUID job, @Nullable String reason) {
    return jdbc.sql(SETTLE)
            .param("schedule", due.schedule())
            .param("due_at", at(due.dueAt()))
            .param("state", state.label())
            .param("job", job)
            .param("reason", reason)
            .update()
        > 0;
  }

  Optional<Firing> before(Due due) {
    return jdbc.sql(BEFORE)
        .param("schedule", due.schedule())
        .param("due_at", at(due.dueAt()))
        .query(FiringSql::firing)
        .optional();
  }

  void triggered(UUID schedule, UUID job, Instant at) {
    jdbc.sql(TRIGGERED)
        .param("schedule", schedule)
        .param("job", job)
        .param("due_at", at(at))
        .update();
  }

  List<Firing> last(UUID schedule, int limit) {
    return jdbc.sql(LAST)
        .param("schedule", schedule)
        .param("limit", limit)
        .query(FiringSql::firing)
        .list();
  }

  void trim(Collection<UUID> schedules) {
    jdbc.sql(TRIM)
        .param("ids", new SqlArrayValue("uuid", schedules.toArray()))
        .param("kept", KEPT)
        .update();
  }

  private static Firing firing(ResultSet row, int n) throws SQLException {
    return new Firing(
        instant(row, "due_at"),
        row.getBoolean("triggered"),
        State.of(row.getString("state")),
        row.getObject("job", UUID.class),
        row.getString("reason"),
        orNull(row, "decided_at"));
  }

  private static OffsetDateTime at(Instant moment) {
    return moment.atOffset(ZoneOffset.UTC);
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  private static @Nullable Instant orNull(ResultSet row, String column) throws SQLException {
    OffsetDateTime moment = row.getObject(column, OffsetDateTime.class);
    return moment == null ? null : moment.toInstant();
  }
}
