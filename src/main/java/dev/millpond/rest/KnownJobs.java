package dev.millpond.rest;

import dev.millpond.job.Job;
import dev.millpond.job.JobIds;
import dev.millpond.job.Jobs;
import dev.millpond.retention.Retention;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** The jobs that paths name. */
@Component
final class KnownJobs {

  private final Jobs jobs;
  private final Retention retention;

  KnownJobs(Jobs jobs, Retention retention) {
    this.jobs = jobs;
    this.retention = retention;
  }

  /**
   * The job.
   *
   * @param path its id, as it stands in the path
   * @throws ProblemException {@code job-not-found} or {@code job-gone}
   */
  Job find(String path) {
    UUID id = PathParts.job(path);
    return jobs.find(id).orElseThrow(() -> missing(id));
  }

  /** What is said of a job that is not there. */
  ProblemException missing(UUID id) {
    return JobIds.submittedAt(id).isBefore(retention.keptSince())
        ? new ProblemException(Problem.JOB_GONE, "The job was removed, or never existed.")
        : new ProblemException(Problem.JOB_NOT_FOUND, "There is no job with this id.");
  }
}
