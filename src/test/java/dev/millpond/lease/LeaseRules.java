package dev.millpond.lease;

import dev.millpond.job.JobState;
import dev.millpond.lease.LeaseSql.SettledRow;
import dev.millpond.lease.ModelJob.StartBy;

/**
 * What each statement of {@link LeaseSql} makes of a job, as rules on values. What the product
 * decides in Java is asked of it ({@link Leases#row}, {@link JobState}); what it decides in SQL
 * stands here once more. {@link LeaseProtocolTest} explores what follows from the rules, {@link
 * StatementsIT} holds each statement against them. A rule that does not apply gives the job back as
 * it was.
 */
class LeaseRules {

  private static final int DEADLY = 3;

  /** Of CLAIM; those under which a worker died are claimed apart. */
  ModelJob claim(ModelJob job, boolean suspect) {
    if (!isReady(job) || suspect != job.recoveries() > 0) {
      return job;
    }
    return job.startBy() == StartBy.PASSED ? job.in(JobState.EXPIRED) : job.leased(nextToken(job));
  }

  /** Whether a claim may take it. */
  boolean isReady(ModelJob job) {
    return job.state() == JobState.QUEUED && !job.isInLine();
  }

  /** Of PROMOTE, where its key has a free slot and nobody is before it. */
  ModelJob promote(ModelJob job) {
    return job.isInLine() ? job.slot(true) : job;
  }

  int nextToken(ModelJob job) {
    return job.newest() + 1;
  }

  /** The fence. */
  boolean isHeld(ModelJob job, int token) {
    return job.isLeased() && job.token() == token;
  }

  /** Of SETTLE. */
  ModelJob settle(ModelJob job, int token, SettledRow row) {
    boolean unasked = row.outcome().equals("cancelled") && job.state() != JobState.CANCELLING;
    if (!isHeld(job, token) || unasked) {
      return job;
    }
    JobState next = settled(job, row);
    boolean uncounted = row.outcome().equals("released") && !next.isFinal();
    ModelJob settled = job.in(next).attempt(uncounted ? job.attempt() - 1 : job.attempt());
    return next == JobState.QUEUED ? settled : settled.slot(settled.slot() && keepsSlot(settled));
  }

  /** While it waits for its next attempt. */
  boolean keepsSlot(ModelJob job) {
    return job.limit() == 1;
  }

  JobState settled(ModelJob job, SettledRow row) {
    boolean released = row.outcome().equals("released");
    if (row.outcome().equals("succeeded")) {
      return JobState.SUCCEEDED;
    } else if (job.state() == JobState.CANCELLING) {
      return JobState.CANCELLED;
    } else if (row.outcome().equals("failed")) {
      return JobState.FAILED;
    } else if (row.delayMillis() <= 0) {
      return JobState.QUEUED;
    }
    return released && job.attempt() == 1 ? JobState.SCHEDULED : JobState.RETRYING;
  }

  /** Of EXPIRE, for a lease that expired as for one of a former life of its node. */
  ModelJob expire(ModelJob job) {
    if (!job.isLeased()) {
      return job;
    }
    int deaths = job.recoveries() + 1;
    JobState next =
        job.state() == JobState.CANCELLING
            ? JobState.CANCELLED
            : deaths >= DEADLY ? JobState.FAILED : JobState.QUEUED;
    return job.in(next).recoveries(deaths);
  }

  /** Of EXPIRE_WAITING. */
  ModelJob missStart(ModelJob job) {
    return isWaiting(job) && job.startBy() == StartBy.PASSED ? job.in(JobState.EXPIRED) : job;
  }

  private static boolean isWaiting(ModelJob job) {
    return !job.isLeased() && !job.state().isFinal();
  }

  /** Of POLL and of HURRY. */
  ModelJob becomeReady(ModelJob job) {
    return isWaiting(job) && job.state() != JobState.BLOCKED ? job.in(JobState.QUEUED) : job;
  }

  /** Of RESOLVE, where what the job depends on has succeeded, or has not. */
  ModelJob resolve(ModelJob job, boolean succeeded) {
    return job.state() != JobState.BLOCKED
        ? job
        : job.in(succeeded ? JobState.QUEUED : JobState.CANCELLED);
  }

  /** Of CANCEL. */
  ModelJob cancel(ModelJob job) {
    return isWaiting(job) ? job.in(JobState.CANCELLED) : job.isLeased() ? job.asked() : job;
  }

  /** Of REDRIVE, spread over some time. */
  ModelJob redriveLater(ModelJob job, int policyAttempts) {
    return job.state().isFinal()
        ? redrive(job, policyAttempts)
            .in(job.attempt() > 0 ? JobState.RETRYING : JobState.SCHEDULED)
        : job;
  }

  /** Of REDRIVE. */
  ModelJob redrive(ModelJob job, int policyAttempts) {
    return job.state().isFinal()
        ? job.in(JobState.QUEUED)
            .maxAttempts(job.maxAttempts() + job.recoveries() + policyAttempts)
            .recoveries(0)
            .startBy(StartBy.NONE)
        : job;
  }
}
