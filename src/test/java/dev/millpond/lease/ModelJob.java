package dev.millpond.lease;

import dev.millpond.job.JobState;

/**
 * A job as the model of the lease protocol sees it.
 *
 * @param token of its lease; 0 if it has none
 * @param newest the newest token that was granted for it; they count from 1
 * @param limit of its concurrency key; 0 if it has none
 * @param slot whether it has a slot of its key
 */
record ModelJob(
    JobState state,
    int token,
    int newest,
    int attempt,
    int recoveries,
    int maxAttempts,
    StartBy startBy,
    int limit,
    boolean slot) {

  /** Whether the job's first start is bound to a time. */
  enum StartBy {
    NONE,
    AHEAD,
    PASSED
  }

  static ModelJob submitted(JobState state, int maxAttempts, StartBy startBy, int limit) {
    return new ModelJob(state, 0, 0, 0, 0, maxAttempts, startBy, limit, false);
  }

  boolean isLeased() {
    return state == JobState.RUNNING || state == JobState.CANCELLING;
  }

  /** Whether it waits for nothing but its key. */
  boolean isInLine() {
    return state == JobState.QUEUED && limit > 0 && !slot;
  }

  /** In a state without a lease. */
  ModelJob in(JobState next) {
    StartBy bound = next.isFinal() ? StartBy.NONE : startBy;
    return new ModelJob(
        next, 0, newest, attempt, recoveries, maxAttempts, bound, limit, slot && !next.isFinal());
  }

  ModelJob asked() {
    return new ModelJob(
        JobState.CANCELLING, token, newest, attempt, recoveries, maxAttempts, startBy, limit, slot);
  }

  ModelJob leased(int granted) {
    return new ModelJob(
        JobState.RUNNING,
        granted,
        granted,
        attempt + 1,
        recoveries,
        maxAttempts,
        StartBy.NONE,
        limit,
        slot);
  }

  ModelJob attempt(int number) {
    return new ModelJob(
        state, token, newest, number, recoveries, maxAttempts, startBy, limit, slot);
  }

  ModelJob recoveries(int deaths) {
    return new ModelJob(state, token, newest, attempt, deaths, maxAttempts, startBy, limit, slot);
  }

  ModelJob maxAttempts(int attempts) {
    return new ModelJob(state, token, newest, attempt, recoveries, attempts, startBy, limit, slot);
  }

  ModelJob startBy(StartBy bound) {
    return new ModelJob(state, token, newest, attempt, recoveries, maxAttempts, bound, limit, slot);
  }

  ModelJob slot(boolean taken) {
    return new ModelJob(
        state, token, newest, attempt, recoveries, maxAttempts, startBy, limit, taken);
  }

  /** With its tokens renamed. */
  ModelJob tokens(int held, int last) {
    return new ModelJob(state, held, last, attempt, recoveries, maxAttempts, startBy, limit, slot);
  }
}
