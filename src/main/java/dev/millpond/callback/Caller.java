package dev.millpond.callback;

import dev.millpond.handler.Webhooks;
import dev.millpond.handler.Webhooks.Answer;
import dev.millpond.job.Job;
import dev.millpond.job.JobError;
import dev.millpond.job.Jobs;
import dev.millpond.lease.LeaseProperties;
import dev.millpond.queue.RetryPolicy;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/** Makes one call: reads the job, tells the target, notes what came of it. */
@Component
final class Caller {

  /**
   * Quick at first, for a target that is being restarted; then for about a day, two at most, so
   * that somebody can mend it.
   */
  static final RetryPolicy RETRY =
      new RetryPolicy(12, Duration.ofSeconds(1), 4.0, Duration.ofHours(12));

  /** As Standard Webhooks advises. */
  private static final Duration TIMEOUT = Duration.ofSeconds(15);

  private static final Logger log = LoggerFactory.getLogger(Caller.class);

  private final CallbackSql sql;
  private final Jobs jobs;
  private final Notice notice;
  private final Webhooks webhooks;
  private final MeterRegistry meters;
  private final Duration timeout;

  Caller(
      CallbackSql sql,
      Jobs jobs,
      Notice notice,
      Webhooks webhooks,
      MeterRegistry meters,
      LeaseProperties lease) {
    this.sql = sql;
    this.jobs = jobs;
    this.notice = notice;
    this.webhooks = webhooks;
    this.meters = meters;
    // Well within the lease, which nobody renews.
    Duration half = lease.duration().dividedBy(2);
    this.timeout = half.compareTo(TIMEOUT) < 0 ? half : TIMEOUT;
  }

  /**
   * Makes the call.
   *
   * @return the wait before the next one; empty if there is none to come
   * @throws InterruptedException if interrupted: nothing was noted
   */
  Optional<Duration> call(Due due) throws InterruptedException {
    Optional<Job> job =
        jobs.find(due.id())
            .filter(found -> found.state().isFinal() && found.version() == due.version());
    if (job.isEmpty()) {
      sql.withdraw(due);
      return Optional.empty();
    }
    return note(due, tell(due, job.get()));
  }

  private Answer tell(Due due, Job job) throws InterruptedException {
    try {
      return webhooks.post(
          Objects.requireNonNull(job.callback()),
          job.id() + "-" + job.version(),
          notice.of(job),
          headers(due),
          timeout);
    } catch (DataAccessException | TransactionException away) {
      throw away;
    } catch (RuntimeException bug) {
      log.error("The callback of job {} could not be sent", due.id(), bug);
      return new Answer(
          null, new JobError("callback-failed", "the service could not send it"), false, null);
    }
  }

  private static Map<String, String> headers(Due due) {
    Map<String, String> headers = new HashMap<>();
    headers.put("Millpond-Job-Id", due.id().toString());
    headers.put("Millpond-Attempt", Integer.toString(due.attempt()));
    if (due.traceparent() != null) {
      headers.put("traceparent", due.traceparent());
    }
    return headers;
  }

  private Optional<Duration> note(Due due, Answer answer) {
    boolean failed = answer.error() != null;
    if (failed && !answer.permanent() && due.attempt() < RETRY.maxAttempts()) {
      Duration delay =
          answer.retryIn() != null
              ? answer.retryIn()
              : RETRY.delayAfter(due.attempt(), ThreadLocalRandom.current().nextDouble());
      boolean noted = sql.retry(due, answer, delay);
      count("retry");
      return Optional.of(delay).filter(_ -> noted);
    }
    boolean _ = sql.end(due, answer);
    count(failed ? "failed" : "delivered");
    return Optional.empty();
  }

  private void count(String outcome) {
    meters.counter("millpond.callbacks.called", "outcome", outcome).increment();
  }
}
