package dev.millpond.schedule;

import dev.millpond.admission.Submission;
import dev.millpond.job.DatabaseClock;
import dev.millpond.schedule.Schedule.Settings;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/**
 * The schedules and their settings. A change is in force at once on every node: a node that does
 * not know of it yet claims nothing.
 */
@Component
public final class Schedules {

  private static final Logger log = LoggerFactory.getLogger(Schedules.class);

  private final ScheduleSql sql;
  private final FiringSql firings;
  private final FiringLoop loop;
  private final DatabaseClock clock;
  private final int max;

  Schedules(
      ScheduleSql sql,
      FiringSql firings,
      FiringLoop loop,
      DatabaseClock clock,
      ScheduleProperties properties) {
    this.sql = sql;
    this.firings = firings;
    this.loop = loop;
    this.clock = clock;
    this.max = properties.max();
  }

  /** The schedule with this name, if it exists. */
  public Optional<Schedule> find(String name) {
    return sql.find(name);
  }

  /**
   * Schedules in alphabetical order.
   *
   * @param after where the last page ended; empty for the first page
   * @param limit 1 to 500
   */
  public List<Schedule> list(String after, int limit) {
    return sql.list(after, limit);
  }

  /** Now, as what a schedule can count from: to the millisecond. */
  public Instant now() {
    return clock.now().truncatedTo(ChronoUnit.MILLIS);
  }

  /** How many there may be. */
  public int max() {
    return max;
  }

  /** Creates a schedule; empty if there is one of this name, or there are {@link #max} already. */
  public Optional<Schedule> create(String name, Settings settings) {
    return told(name, sql.create(UUID.randomUUID(), name, settings, now(), max));
  }

  /**
   * Changes a schedule. With another calendar, or after a pause, it is due from now on. Empty if it
   * is not there any more as it was.
   */
  public Optional<Schedule> change(Schedule before, Settings settings) {
    boolean restarts =
        !settings.dueTimes().equals(before.settings().dueTimes())
            || (before.settings().paused() && !settings.paused());
    return told(before.name(), sql.change(before, settings, restarts, now()));
  }

  private Optional<Schedule> told(String name, boolean done) {
    Optional<Schedule> schedule = done ? sql.find(name) : Optional.empty();
    schedule.ifPresent(set -> loop.tell(set.id()));
    return schedule;
  }

  /** Removes a schedule with its firings; their jobs stay. False if there is none. */
  public boolean delete(String name) {
    return sql.delete(name);
  }

  /** The last firings, the newest first. */
  public List<Firing> firings(Schedule schedule, int limit) {
    return firings.last(schedule.id(), limit);
  }

  /** What a schedule submits when it is triggered by hand. */
  public static Submission triggered(Schedule schedule) {
    return schedule.settings().job().labelled(Map.of(Firings.SCHEDULE_LABEL, schedule.name()));
  }

  /**
   * Records a job that was submitted by hand. It is there in any case: if the record cannot be
   * written, only that is missing.
   */
  public void record(Schedule schedule, UUID job, Instant at) {
    try {
      firings.triggered(schedule.id(), job, at);
    } catch (DataAccessException away) {
      log.warn("Cannot record job {} of schedule {}", job, schedule.name(), away);
    }
  }

  /** The names of the labels that a firing adds to its job. */
  public static List<String> labels() {
    return List.of(Firings.SCHEDULE_LABEL, Firings.DUE_LABEL);
  }
}
