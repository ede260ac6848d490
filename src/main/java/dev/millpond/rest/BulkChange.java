package dev.millpond.rest;

import dev.millpond.admission.Decision;
import dev.millpond.admission.Permits;
import dev.millpond.admission.Redrives;
import dev.millpond.admission.Redrives.Redrive;
import dev.millpond.job.JobIds;
import dev.millpond.job.JobRefs;
import dev.millpond.job.JobRefs.JobRef;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.lease.Leases;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.BulkDraft.Wish;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/**
 * One change of many jobs, in steps that are each a short transaction of their own: what is done is
 * done, wherever it ends. It ends after a bounded time, and is asked for again if there is more.
 */
abstract sealed class BulkChange {

  private static final Logger log = LoggerFactory.getLogger(BulkChange.class);

  /** How many jobs a step changes: their locks are held for some milliseconds. */
  private static final int STEP = 500;

  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final int MOST = 100_000;

  private final Jobs jobs;
  private final Wish wish;
  private final long begin = System.nanoTime();
  private int matched;
  private int changed;
  private Decision.@Nullable Refused refusal;

  private BulkChange(Jobs jobs, Wish wish) {
    this.jobs = jobs;
    this.wish = wish;
  }

  /** Cancels jobs. */
  static final class Cancel extends BulkChange {

    private final Leases leases;

    Cancel(Jobs jobs, Wish wish, Leases leases) {
      super(jobs, wish);
      this.leases = leases;
    }

    @Override
    int step() {
      return STEP;
    }

    @Override
    int change(List<JobRef> found, JobState state) {
      List<UUID> ids = found.stream().map(JobRef::id).toList();
      return leases.cancel(ids, state == JobState.RUNNING).size();
    }
  }

  /** Sends finished jobs back into their queue, as far as it has room. */
  static final class Retry extends BulkChange {

    private final QueueName queue;
    private final Redrives redrives;
    private final Permits permits;
    private final Duration step;

    Retry(Jobs jobs, Wish wish, QueueName queue, Redrives redrives, Permits permits) {
      super(jobs, wish);
      this.queue = queue;
      this.redrives = redrives;
      this.permits = permits;
      this.step =
          wish.perSecond() == null
              ? Duration.ZERO
              : Duration.ofSeconds(1).dividedBy(wish.perSecond());
    }

    @Override
    int step() {
      return Math.clamp(permits.room(queue, permits.cap(queue)), 1, STEP);
    }

    @Override
    int change(List<JobRef> found, JobState state) {
      Duration first = step.multipliedBy(changed() + 1L);
      return switch (redrives.redrive(queue, found, Set.of(state), first, step)) {
        case Redrive.Done(int moved) -> moved;
        // Of a single job only; here it is one of those that were not moved.
        case Redrive.Duplicate _ -> 0;
        case Redrive.Refused(Decision.Refused why) -> {
          stop(why);
          yield 0;
        }
      };
    }
  }

  /** How many jobs can be changed at once. */
  abstract int step();

  /** Changes jobs that were in a state, and says how many. */
  abstract int change(List<JobRef> found, JobState state);

  /**
   * What came of it.
   *
   * @param matched how many jobs were found that are meant
   * @param changed how many of them were changed; none in a dry run
   * @param more whether there may be others, for the same request again
   */
  record Done(boolean dryRun, int matched, int changed, boolean more) {}

  /**
   * Goes through the jobs that are meant.
   *
   * @throws DataAccessException or {@link TransactionException} if nothing was changed before
   */
  Done run() {
    boolean more = false;
    try {
      for (JobState state : wish.states()) {
        more |= !comesToTheEnd(state);
      }
    } catch (DataAccessException | TransactionException away) {
      if (changed == 0) {
        throw away;
      }
      // Its steps were committed, and are told.
      log.warn("A change of many jobs ended early: {}", away.getMessage());
      more = true;
    }
    return new Done(wish.dryRun(), matched, changed, more);
  }

  private boolean comesToTheEnd(JobState state) {
    UUID before = wish.submittedBefore() == null ? null : JobIds.floor(wish.submittedBefore());
    while (matched < MOST && refusal == null && System.nanoTime() - begin < LONGEST.toNanos()) {
      JobRefs page = jobs.refs(wish.filter(state), before, wish.dryRun() ? STEP : step());
      matched += page.jobs().size();
      if (!wish.dryRun() && !page.jobs().isEmpty()) {
        changed += change(page.jobs(), state);
      }
      before = page.next();
      if (before == null) {
        return refusal == null;
      }
    }
    return false;
  }

  int changed() {
    return changed;
  }

  void stop(Decision.Refused why) {
    refusal = why;
  }

  /** Why it went no further, if more were not let in; null else. */
  Decision.@Nullable Refused refusal() {
    return refusal;
  }
}
