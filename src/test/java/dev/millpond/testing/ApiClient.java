package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A client of the service that knows no more than its HTTP contract. Every call ends within 10 s.
 */
public final class ApiClient {

  public static final JsonMapper JSON = JsonMapper.builder().build();

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** What a client comes back after; where {@link StoreFaults} are not chosen, none is met. */
  private static final Set<String> COME_BACK =
      Set.of("database-unavailable", "outcome-unknown", "overloaded");

  /** Else a suite of a few minutes would take hours. */
  private static final Duration COME_BACK_AFTER = Duration.ofMillis(50);

  private static final int TRIES = 20;
  private static final Pattern SUBMITS =
      Pattern.compile("/v1/(queues/[^/]+/)?jobs(/batch)?(\\?.*)?");

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final URI base;

  public ApiClient(URI base) {
    this.base = base;
  }

  /**
   * What the service answered.
   *
   * @param body as text
   */
  public record Answer(int status, java.net.http.HttpHeaders headers, String body) {

    public JsonNode json() {
      return JSON.readTree(body);
    }

    /** A header's first value; empty if it is not there. */
    public String header(String name) {
      return headers.firstValue(name).orElse("");
    }

    /** Of a problem document, the last part of its type; empty for anything else. */
    public String problem() {
      return header("Content-Type").startsWith("application/problem+json")
          ? json().path("type").asString().replaceFirst(".*/problems/", "")
          : "";
    }
  }

  public Answer get(String path, String... headers) throws IOException {
    return send("GET", path, BodyPublishers.noBody(), headers);
  }

  /** A POST of JSON. */
  public Answer post(String path, String body, String... headers) throws IOException {
    return send("POST", path, BodyPublishers.ofString(body), json(headers));
  }

  /** A PUT of JSON. */
  public Answer put(String path, String body) throws IOException {
    return send("PUT", path, BodyPublishers.ofString(body), json());
  }

  private static String[] json(String... headers) {
    List<String> all = new ArrayList<>(List.of(headers));
    all.addAll(List.of("Content-Type", "application/json"));
    return all.toArray(String[]::new);
  }

  /**
   * Any request.
   *
   * @param headers names and values in turn
   * @throws IOException if there was no answer: what came of the request is unknown then
   */
  public Answer send(String method, String path, BodyPublisher body, String... headers)
      throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve(path)).timeout(TIMEOUT).method(method, body);
    if (headers.length > 0) {
      request.headers(headers);
    }
    return StoreFaults.CHOSEN == StoreFaults.When.NEVER
        ? send(request.build())
        : sendUntilDecided(withKey(method, path, request.build()));
  }

  /** A client that may have to repeat a submit names it. */
  private static HttpRequest withKey(String method, String path, HttpRequest request) {
    boolean named =
        request.headers().firstValue("Idempotency-Key").isPresent()
            || request.headers().firstValue("Content-Type").orElse("").contains("ndjson");
    return !method.equals("POST") || named || !SUBMITS.matcher(path).matches()
        ? request
        : HttpRequest.newBuilder(request, (_, _) -> true)
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .build();
  }

  private Answer sendUntilDecided(HttpRequest request) throws IOException {
    Answer answer = send(request);
    for (int tries = 1; tries < TRIES && COME_BACK.contains(answer.problem()); tries++) {
      LockSupport.parkNanos(COME_BACK_AFTER.toNanos());
      answer = send(request);
    }
    return answer;
  }

  private Answer send(HttpRequest request) throws IOException {
    try {
      HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
      return new Answer(response.statusCode(), response.headers(), response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** Submits a job that must be accepted, and returns its id. */
  public String submit(String queue, String job) throws IOException {
    Answer answer = post("/v1/queues/" + queue + "/jobs", job);
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    return answer.json().path("id").asString();
  }

  /** Submits jobs that must be accepted in one batch, and returns their ids. */
  public List<String> submitAll(String queue, List<String> jobs) throws IOException {
    Answer answer =
        post("/v1/queues/" + queue + "/jobs/batch", "{\"jobs\":[" + String.join(",", jobs) + "]}");
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    List<String> ids = new ArrayList<>();
    answer.json().path("ids").forEach(id -> ids.add(id.asString()));
    assertThat(ids).hasSameSizeAs(jobs);
    return ids;
  }

  /** The job as it is now; it must be there. */
  public JsonNode job(String id) throws IOException {
    Answer answer = get("/v1/jobs/" + id);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  public Answer cancel(String id) throws IOException {
    return post("/v1/jobs/" + id + "/cancel", "");
  }

  /** All jobs that a filter finds, over all pages. */
  public List<JsonNode> jobs(String filter) throws IOException {
    List<JsonNode> jobs = new ArrayList<>();
    String cursor = "";
    do {
      JsonNode page = page(filter, 500, cursor);
      page.path("items").forEach(jobs::add);
      cursor = page.path("nextCursor").asString("");
    } while (!cursor.isEmpty());
    return jobs;
  }

  /** Whether a filter finds no job. A page may be empty although there is another. */
  private boolean findsNone(String filter) throws IOException {
    String cursor = "";
    do {
      JsonNode page = page(filter, 1, cursor);
      if (!page.path("items").isEmpty()) {
        return false;
      }
      cursor = page.path("nextCursor").asString("");
    } while (!cursor.isEmpty());
    return true;
  }

  private JsonNode page(String filter, int limit, String cursor) throws IOException {
    String next = cursor.isEmpty() ? "" : "&cursor=" + cursor;
    Answer answer = get("/v1/jobs?limit=" + limit + "&" + filter + next);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  /** Waits until a job has a state, and returns it. */
  public JsonNode awaitState(String id, String state, Duration limit) {
    return await(id + " is " + state)
        .atMost(limit)
        .pollInterval(Duration.ofMillis(20))
        .ignoreException(IOException.class)
        .until(() -> job(id), job -> job.path("state").asString().equals(state));
  }

  /** Waits until so many jobs of a queue have a state. */
  public void awaitCount(String queue, String state, int count, Duration limit) {
    await(count + " jobs of " + queue + " " + state)
        .atMost(limit)
        .pollInterval(Duration.ofMillis(100))
        .ignoreException(IOException.class)
        .until(() -> jobs("queue=" + queue + "&state=" + state).size() == count);
  }

  /** Waits until no job of a queue waits or runs any more. */
  public void awaitDrained(String queue, Duration limit) {
    List<String> unfinished =
        List.of("blocked", "scheduled", "queued", "running", "cancelling", "retrying");
    await(queue + " is drained")
        .atMost(limit)
        .pollInterval(Duration.ofMillis(100))
        .ignoreException(IOException.class)
        .until(
            () -> {
              // Twice, as a job may move on to a state that was already looked at.
              for (int look = 0; look < 2; look++) {
                for (String state : unfinished) {
                  if (!findsNone("queue=" + queue + "&state=" + state)) {
                    return false;
                  }
                }
              }
              return true;
            });
  }

  /** The sum over all series of a metric, by its name in Prometheus' format; 0 if there is none. */
  public double metric(String name) throws IOException {
    return get("/actuator/prometheus")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }
}
