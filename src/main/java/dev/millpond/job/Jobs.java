package dev.millpond.job;

import static java.util.stream.Collectors.toMap;

import dev.millpond.job.JobRefs.JobRef;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** The jobs as they are. A job is readable here as soon as its submit was answered. */
@Component
public final class Jobs {

  /** How many ids a page looks at, at most, for filters that no index serves. */
  private static final int SCAN_BOUND = 2_000;

  private static final UUID ABOVE_ALL = new UUID(-1, -1);
  private static final UUID BELOW_ALL = new UUID(0, 0);

  private final JobSql sql;

  Jobs(JobSql sql) {
    this.sql = sql;
  }

  /** The job with this id; empty if there never was one, or it was removed. */
  public Optional<Job> find(UUID id) {
    return sql.find(id);
  }

  /** Those of the jobs that are there, by their ids. */
  public Map<UUID, Job> findAll(List<UUID> ids) {
    return sql.findAll(ids).stream().collect(toMap(Job::id, job -> job));
  }

  /**
   * A page of the jobs that the filter names, newest first. Queue and state are served by an index;
   * for the others a page looks at a bounded number of jobs, so that it may be short.
   *
   * @param before where the last page ended; null for the first page
   * @param limit 1 to 500
   * @param dependencies whether to read what the jobs depend on, too
   */
  public JobPage list(JobFilter filter, @Nullable UUID before, int limit, boolean dependencies) {
    Page<Job> page =
        page(
            filter,
            before,
            limit,
            scanned -> sql.filter(scanned, filter, limit, dependencies),
            Job::id);
    return new JobPage(page.items(), page.next());
  }

  /** The same, without what is in the jobs. */
  public JobRefs refs(JobFilter filter, @Nullable UUID before, int limit) {
    Page<JobRef> page =
        page(filter, before, limit, scanned -> sql.refs(scanned, filter, limit), JobRef::id);
    return new JobRefs(page.items(), page.next());
  }

  private record Page<T>(List<T> items, @Nullable UUID next) {}

  private <T> Page<T> page(
      JobFilter filter,
      @Nullable UUID before,
      int limit,
      Function<List<UUID>, List<T>> read,
      Function<T, UUID> id) {
    UUID after =
        filter.submittedAfter() == null
            ? BELOW_ALL
            : JobIds.floor(filter.submittedAfter().plusMillis(1));
    int bound = isServedByIndex(filter) ? limit : SCAN_BOUND;
    List<UUID> scanned = sql.scan(filter, before == null ? ABOVE_ALL : before, after, bound);
    if (scanned.isEmpty()) {
      return new Page<>(List.of(), null);
    }
    List<T> items = read.apply(scanned);
    boolean full = items.size() == limit;
    boolean more = full || scanned.size() == bound;
    return new Page<>(items, more ? (full ? id.apply(items.getLast()) : scanned.getLast()) : null);
  }

  private static boolean isServedByIndex(JobFilter filter) {
    return filter.type() == null
        && filter.tenant() == null
        && filter.labels().isEmpty()
        && (filter.queue() == null || filter.state() == null || !filter.state().isFinal());
  }

  /** All attempts of the job, in order, the one that runs or that ended it included. */
  public List<Attempt> attempts(Job job) {
    Stream<Attempt> last = Stream.ofNullable(job.lastAttempt());
    boolean started = job.attempt() > (job.lastAttempt() == null ? 0 : 1);
    return started ? Stream.concat(earlier(job), last).toList() : last.toList();
  }

  /** The attempts are read after the job: one that has ended since is not told twice. */
  private Stream<Attempt> earlier(Job job) {
    return sql.attempts(job.id()).stream()
        .filter(a -> job.lastAttempt() == null || a.number() < job.lastAttempt().number());
  }

  /** What the job's handlers logged, in order. */
  public List<LogLine> log(UUID id) {
    return sql.log(id);
  }
}
