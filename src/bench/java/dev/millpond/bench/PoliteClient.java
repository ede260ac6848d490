package dev.millpond.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client that behaves. It comes back when it was told to; where it was told nothing, because
 * there was no answer, it backs off exponentially with full jitter. All tries of a job carry the
 * same {@code Idempotency-Key}, so that one whose answer was lost makes no second job.
 */
final class PoliteClient {

  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofMinutes(1);

  /** Nothing was accepted, or the answer is not known yet: the same request again is right. */
  private static final Set<Integer> AGAIN = Set.of(409, 429, 502, 503, 504);

  private static final Pattern MILLIS = Pattern.compile("\"retryAfterMs\":(\\d+)");

  private final HttpClient http;
  private final URI jobs;

  PoliteClient(HttpClient http, URI node, String queue) {
    this.http = http;
    this.jobs = node.resolve("/v1/queues/" + queue + "/jobs");
  }

  /** How long a client waits after an answer. */
  interface Manners {
    Duration pause(OptionalLong toldMillis, int tries);
  }

  /** Sees each answer. */
  interface Watch {
    /** Returns whether to go on. */
    boolean saw(HttpResponse<String> answer, int tries);
  }

  static Duration obey(OptionalLong toldMillis, int tries) {
    return toldMillis.isPresent()
        ? Duration.ofMillis(toldMillis.getAsLong())
        : backOff(toldMillis, tries);
  }

  static Duration backOff(OptionalLong toldMillis, int tries) {
    double most =
        Math.min(
            (double) LONGEST.toMillis(), FIRST.toMillis() * Math.pow(2, Math.min(tries, 20) - 1.0));
    return Duration.ofMillis((long) (most * ThreadLocalRandom.current().nextDouble()));
  }

  /** Submits a job until it is accepted, refused for good, or the watch says stop. */
  void submit(String job, Manners manners, Watch watch) throws InterruptedException {
    String key = UUID.randomUUID().toString();
    HttpRequest request =
        HttpRequest.newBuilder(jobs)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .timeout(Duration.ofSeconds(10))
            .POST(BodyPublishers.ofString(job))
            .build();
    for (int tries = 1; ; tries++) {
      OptionalLong told = OptionalLong.empty();
      try {
        HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
        if (!watch.saw(answer, tries) || !AGAIN.contains(answer.statusCode())) {
          return;
        }
        told = told(answer);
      } catch (IOException noAnswer) {
        // What came of it is not known: the key makes the next try safe.
      }
      Thread.sleep(manners.pause(told, tries));
    }
  }

  /** The finer time of the problem document, else the header's. */
  private static OptionalLong told(HttpResponse<String> answer) {
    Matcher millis = MILLIS.matcher(answer.body());
    return millis.find()
        ? OptionalLong.of(Long.parseLong(millis.group(1)))
        : answer.headers().firstValueAsLong("Retry-After").stream()
            .map(seconds -> seconds * 1_000)
            .findFirst();
  }
}
