package dev.millpond.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.test.context.junit.jupiter.SpringExtension;

/**
 * Asks the database after each test whether something holds that must hold at every moment. Each
 * question is one statement, so it sees one moment, and it may be asked while jobs run.
 *
 * <p>A test without a database, or whose database has no schema, is not let pass: whoever extends a
 * test with this wants to be told.
 */
public final class QueueInvariants implements AfterEachCallback {

  /** The four tables that say where a job is. */
  private static final String PLACES =
      """
      select id, 'ready' as place from ready
      union all
      select id, 'delayed' from delayed
      union all
      select id, 'lease' from lease
      union all
      select id, 'finished' from finished
      """;

  /** Each statement returns what breaks the rule. */
  private static final Map<String, String> RULES = rules();

  private final @Nullable DataSource given;

  /** For a Spring test: asks the context's own data source. */
  public QueueInvariants() {
    this.given = null;
  }

  /** For a test without Spring. */
  public QueueInvariants(DataSource dataSource) {
    this.given = dataSource;
  }

  private static Map<String, String> rules() {
    Map<String, String> rules = new LinkedHashMap<>();
    rules.put(
        "a leased job has a token and an expiry",
        "select id::text from lease where token is null or expires_at is null");
    rules.put("a final job has no lease", "select id::text from finished join lease using (id)");
    rules.put(
        "a job is in exactly one of ready, delayed, lease and finished",
        """
        select job.id || ' is in ' || coalesce(string_agg(place, ' and '), 'none')
        from job left join (%s) as places on places.id = job.id
        group by job.id
        having count(place) <> 1
        """
            .formatted(PLACES));
    rules.put(
        "what waits, runs or has ended is a job",
        """
        select places.id || ' in ' || place
        from (%s) as places
        where not exists (select from job where job.id = places.id)
        """
            .formatted(PLACES));
    rules.put(
        "a finished job is in a final state",
        """
        select id || ' is ' || state from finished
        where state not in ('succeeded', 'failed', 'cancelled', 'expired')
        """);
    rules.put(
        "a job has no more attempts than it may, those apart whose worker died",
        """
        select id || ' has ' || attempt from lease where attempt - recoveries > max_attempts
        union all
        select id || ' had ' || attempt from finished where attempt - recoveries > max_attempts
        """);
    rules.put(
        "a job has at most three recoveries",
        """
        select id || ' has ' || recoveries from ready where recoveries > 3
        union all
        select id || ' has ' || recoveries from lease where recoveries > 3
        union all
        select id || ' had ' || recoveries from finished where recoveries > 3
        """);
    rules.put(
        "a job's end that is to be told is due, or was told or given up",
        """
        select id || ' is ' || state from finished join callback using (id)
        where not exists (select from callback_due due where due.id = finished.id and due.version = finished.version)
          and not exists (
            select from callback_attempt made where made.id = finished.id and made.version = finished.version)
        """);
    rules.put(
        "what is to be told is the end of a finished job",
        """
        select id::text from callback_due
        where not exists (select from finished where finished.id = callback_due.id)
        """);
    rules.put(
        "a unique key is held by a job that still holds it",
        """
        select key || ' until ' || until from unique_key
        where until <> 'expired'
          and not exists (select from ready where ready.id = unique_key.job)
          and not exists (select from delayed where delayed.id = unique_key.job)
          and not (until = 'finished' and exists (select from lease where lease.id = unique_key.job))
        """);
    rules.put(
        "a blocked job waits for as many as it is said to, at least for one",
        """
        select id || ' is missing ' || missing from delayed
        where missing is not null
          and (missing < 1 or missing <> (select count(*) from awaited where awaited.id = delayed.id))
        """);
    rules.put(
        "who is awaited has not ended, or its end is to be told",
        """
        select predecessor || ' is awaited by ' || id from awaited
        where not exists (
            select from (%s) as places where places.id = awaited.predecessor and place <> 'finished')
          and not exists (select from dependency_due where dependency_due.id = awaited.predecessor)
        """
            .formatted(PLACES));
    rules.put(
        "the books of admission say how many jobs wait",
        """
        select queue || ' has ' || sum(waiting) || ' waiting, ' || sum(runnable) || ' of them runnable, too many'
        from (select queue, waiting, runnable from room
              union all
              select queue, -1, -1 from ready
              union all
              select queue, -1, 0 from delayed) as books
        group by queue
        having sum(waiting) <> 0 or sum(runnable) <> 0
        """);
    rules.put(
        "no more jobs of a concurrency key could start or run than its largest limit",
        """
        select queue || ' ' || concurrency_key || ' has ' || count(*)
        from job join (select id from ready union all select id from lease) as let using (id)
        where concurrency_key is not null
        group by queue, concurrency_key
        having count(*) > max(concurrency_limit)
        """);
    rules.put(
        "whoever was let out of the line of its concurrency key has a slot",
        """
        select id || ' has none'
        from job join (select id from ready union all select id from lease) as let using (id)
        where concurrency_key is not null and not exists (select from key_slot where key_slot.id = job.id)
        """);
    rules.put(
        "while somebody waits for a concurrency key its slots are taken, or somebody will look",
        """
        select line.queue || ' ' || line.key || ' waits for nobody'
        from (select queue, key, (array_agg(id order by priority desc, rank, id))[1] as first
              from delayed
              where key is not null
              group by queue, key) as line
        join job on job.id = line.first
        where concurrency_limit > (
            select count(*) from key_slot_status slot where slot.queue = line.queue and slot.key = line.key and taken)
          and not exists (
            select from key_slot_status slot where slot.queue = line.queue and slot.key = line.key and not taken)
          and not exists (select from key_note note where note.queue = line.queue and note.key = line.key)
        """);
    rules.put(
        "a due time of a schedule has one job",
        """
        select labels ->> 'schedule' || ' at ' || (labels ->> 'dueAt') || ' has ' || count(*)
        from job
        where labels ->> 'dueAt' is not null
        group by labels ->> 'schedule', labels ->> 'dueAt'
        having count(*) > 1
        """);
    return rules;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    check(given != null ? given : ofSpring(context));
  }

  private static DataSource ofSpring(ExtensionContext context) {
    return SpringExtension.getApplicationContext(context).getBean(DataSource.class);
  }

  /**
   * Throws if a rule is broken, and says which, by which jobs.
   *
   * @throws org.springframework.dao.DataAccessException if the tables are not there
   */
  public static void check(DataSource dataSource) {
    JdbcTemplate jdbc = new JdbcTemplate(dataSource);
    List<String> broken = new ArrayList<>();
    RULES.forEach(
        (rule, sql) -> {
          List<@Nullable String> culprits = jdbc.queryForList(sql, String.class);
          if (!culprits.isEmpty()) {
            broken.add(
                "%s; broken %d times: %s"
                    .formatted(
                        rule, culprits.size(), culprits.subList(0, Math.min(5, culprits.size()))));
          }
        });
    if (!broken.isEmpty()) {
      throw new AssertionError(String.join(System.lineSeparator(), broken));
    }
  }
}
