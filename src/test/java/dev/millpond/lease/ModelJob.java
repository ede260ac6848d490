package dev.millpond.lease;

import dev.millpond.job.JobState;

/**
 * A job as the model of the lease protocol sees it.
 *
 * @param token of its lease; 0 if it has none
 * @param newest the newest token that was granted for it; they count from 1
 */
record ModelJob(
    JobState state,
    int token,
    int newest,
    int attempt,
    int recoveries,
    int maxAttempts,
    StartBy startBy) {

  /** Whether the job's first start is bound to a time. */
  enum StartBy {
    NONE,
    AHEAD,
    PASSED
  }

  static ModelJob submitted(JobState state, int maxAttempts, StartBy startBy) {
    return new ModelJob(state, 0, 0, 0, 0, maxAttempts, startBy);
  }

  boolean isLeased() {
    return state == JobState.RUNNING || state == JobState.CANCELLING;
  }

  /** In a state without a lease. */
  ModelJob in(JobState next) {
    StartBy bound = next.isFinal() ? StartBy.NONE : startBy;
    return new ModelJob(next, 0, newest, attempt, recoveries, maxAttempts, bound);
  }

  ModelJob asked() {
    return new ModelJob(
        JobState.CANCELLING, token, newest, attempt, recoveries, maxAttempts, startBy);
  }

  ModelJob leased(int granted) {
    return new ModelJob(
        JobState.RUNNING, granted, granted, attempt + 1, recoveries, maxAttempts, StartBy.NONE);
  }

  ModelJob attempt(int number) {
    return new ModelJob(state, token, newest, number, recoveries, maxAttempts, startBy);
  }

  ModelJob recoveries(int deaths) {
    return new ModelJob(state, token, newest, attempt, deaths, maxAttempts, startBy);
  }

  ModelJob maxAttempts(int attempts) {
    return new ModelJob(state, token, newest, attempt, recoveries, attempts, startBy);
  }

  ModelJob startBy(StartBy bound) {
    return new ModelJob(state, token, newest, attempt, recoveries, maxAttempts, bound);
  }

  /** With its tokens renamed. */
  ModelJob tokens(int held, int last) {
    return new ModelJob(state, held, last, attempt, recoveries, maxAttempts, startBy);
  }
}
