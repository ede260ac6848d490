package dev.millpond.testing;

import dev.millpond.admission.DependsOn;
import dev.millpond.admission.Submission;
import dev.millpond.admission.Unique;
import dev.millpond.job.Concurrency;
import dev.millpond.queue.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Submissions for tests: what a client gets that names only the type, and changes of it. */
public record Sample(
    String type,
    @Nullable String payload,
    int priority,
    @Nullable Duration delay,
    @Nullable Instant startBy,
    Duration timeout,
    RetryPolicy retry,
    @Nullable String tenant,
    @Nullable Concurrency concurrency) {

  /** A job that does nothing. */
  public static Sample noop() {
    return of("demo.noop", null);
  }

  /** A job of a type with a payload. */
  public static Sample of(String type, @Nullable String payload) {
    return new Sample(
        type, payload, 4, null, null, Duration.ofMinutes(5), RetryPolicy.DEFAULT, null, null);
  }

  /** With a priority. */
  public Sample priority(int value) {
    return new Sample(type, payload, value, delay, startBy, timeout, retry, tenant, concurrency);
  }

  /** To start later. */
  public Sample delay(Duration value) {
    return new Sample(type, payload, priority, value, startBy, timeout, retry, tenant, concurrency);
  }

  /** To start before a moment. */
  public Sample startBy(Instant value) {
    return new Sample(type, payload, priority, delay, value, timeout, retry, tenant, concurrency);
  }

  /** With a bound on each attempt. */
  public Sample timeout(Duration value) {
    return new Sample(type, payload, priority, delay, startBy, value, retry, tenant, concurrency);
  }

  /** With so many attempts, at most the given time apart. */
  public Sample attempts(int attempts, Duration delay) {
    RetryPolicy policy = new RetryPolicy(attempts, delay, 1.0, delay);
    return new Sample(
        type, payload, priority, this.delay, startBy, timeout, policy, tenant, concurrency);
  }

  /** For a tenant. */
  public Sample tenant(String value) {
    return new Sample(type, payload, priority, delay, startBy, timeout, retry, value, concurrency);
  }

  /** With a concurrency key. */
  public Sample concurrency(String key, int limit) {
    return new Sample(
        type,
        payload,
        priority,
        delay,
        startBy,
        timeout,
        retry,
        tenant,
        new Concurrency(key, limit));
  }

  /** The submission. */
  public Submission submission() {
    return unique(null);
  }

  /** The submission, with a unique key. */
  public Submission unique(@Nullable Unique unique) {
    return new Submission(
        type,
        payload,
        priority,
        delay,
        null,
        startBy,
        timeout,
        retry,
        tenant,
        Map.of(),
        null,
        null,
        unique,
        concurrency,
        DependsOn.NOTHING);
  }
}
