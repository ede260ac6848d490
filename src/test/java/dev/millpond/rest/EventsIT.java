package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.job.Job;
import dev.millpond.job.LogEntry;
import dev.millpond.job.Watcher;
import dev.millpond.job.Watches;
import dev.millpond.job.Watches.Watch;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.JobEvents;
import dev.millpond.testing.JobEvents.Event;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** How a job goes on, event by event. */
class EventsIT extends WholeApi {

  private static final String EVENT_STREAM = "text/event-stream";

  @Autowired private Held held;
  @Autowired private JdbcClient jdbc;
  @Autowired private MeterRegistry meters;
  @Autowired private Watches watches;
  @Autowired private EventStreams streams;

  private JobEvents events(String job, String... headers) throws IOException {
    JobEvents events = JobEvents.open(port, job, headers);
    assertThat(events.status()).isEqualTo(200);
    assertThat(events.header("Content-Type")).startsWith(EVENT_STREAM);
    assertThat(events.header("Cache-Control")).isEqualTo("no-store");
    return events;
  }

  /** The next event, which is as the document says. */
  private Event next(JobEvents events, String name) throws IOException {
    Event event = events.next().orElseThrow();
    assertThat(event.name()).as("%s", event).isEqualTo(name);
    checkData(event);
    return event;
  }

  private void checkData(Event event) {
    String schema =
        switch (event.name()) {
          case "state" -> "Job";
          case "progress" -> "Progress";
          case "log" -> "LogLine";
          default -> throw new AssertionError(event);
        };
    described.validate(
        "event " + event, described.document().at("/components/schemas/" + schema), event.data());
  }

  private static String state(Event event) {
    return event.data().path("state").asString();
  }

  private double watchers() {
    return meters.get("millpond.watchers").gauge().value();
  }

  private void progress(String id, int percent) {
    jdbc.sql("update lease set progress_percent = :percent, version = version + 1 where id = :id")
        .param("percent", percent)
        .param("id", UUID.fromString(id))
        .update();
  }

  @Test
  void aJobIsFollowedFromTheQueueToItsEnd() throws IOException {
    put("/v1/queues/" + queue, "{}");
    send("POST", "/v1/queues/" + queue + "/pause");
    String id = submit(HELD);
    try (JobEvents events = events(id)) {
      assertThat(events.line().orElseThrow()).matches("retry: [0-9]{4}");
      assertThat(state(next(events, "state"))).isEqualTo("queued");
      send("POST", "/v1/queues/" + queue + "/resume");
      Event running = next(events, "state");
      assertThat(state(running)).isEqualTo("running");
      if (running.data().path("progress").isNull()) {
        assertThat(next(events, "progress").data().path("percent").asInt()).isEqualTo(40);
      }
      progress(id, 41);
      Event progress = next(events, "progress");
      assertThat(progress.data().path("percent").asInt()).as("by no hint").isEqualTo(41);
      held.release(id);
      List<Event> rest = events.rest();
      rest.forEach(this::checkData);
      assertThat(state(rest.getLast())).isEqualTo("succeeded");
      assertThat(rest.getLast().data().path("version").asString())
          .as("the ids are versions")
          .isEqualTo(rest.getLast().id());
      assertThat(
              get("/v1/jobs/" + id, "If-None-Match", "W/\"" + rest.getLast().id() + "\"").status())
          .as("and entity tags")
          .isEqualTo(304);
    }
    Awaitility.await().atMost(SOON).until(() -> watchers() == 0);
  }

  @Test
  void whoComesBackIsToldWhatHasHappenedSince() throws IOException {
    String id = submit(LATER);
    String seen;
    try (JobEvents events = events(id)) {
      seen = next(events, "state").id();
    }
    try (JobEvents events = events(id, "Last-Event-ID: " + seen)) {
      streams.beat();
      String first = events.line().orElseThrow();
      while (first.isEmpty() || first.startsWith("retry: ")) {
        first = events.line().orElseThrow();
      }
      assertThat(first).as("nothing new, but a sign of life").isEqualTo(":");
      send("POST", "/v1/jobs/" + id + "/cancel");
      List<Event> rest = events.rest();
      assertThat(rest).hasSize(1);
      assertThat(state(rest.getFirst())).isEqualTo("cancelled");
    }
    try (JobEvents events = events(id, "Last-Event-ID: " + seen)) {
      assertThat(events.rest()).hasSize(1).allMatch(event -> state(event).equals("cancelled"));
    }
    String last = get("/v1/jobs/" + id).json().path("version").asString();
    Answer over = get("/v1/jobs/" + id + "/events", "Last-Event-ID", last);
    assertThat(over.status()).as("there is nothing to come back for").isEqualTo(204);
  }

  @Test
  void linesOfTheLogAreToldOnceAndBeforeTheEnd() throws IOException {
    put("/v1/queues/" + queue, "{\"workers\": \"pull\"}");
    String id = submit("{\"type\": \"resize\"}");
    JsonNode job =
        post("/v1/queues/" + queue + "/claims", "{\"worker\": \"w\"}").json().at("/jobs/0");
    String token = "{\"token\": \"" + job.path("lease").path("token").asString() + "\"";
    String first;
    try (JobEvents events = events(id)) {
      assertThat(state(next(events, "state"))).isEqualTo("running");
      post("/v1/jobs/" + id + "/heartbeat", token + ", \"log\": [\"one\\ntwo\", \"three\"]}");
      Event line = next(events, "log");
      assertThat(line.data().path("line").asString()).isEqualTo("one\ntwo");
      assertThat(next(events, "log").data().path("line").asString()).isEqualTo("three");
      first = line.id();
    }
    String many = "\"x\",".repeat(249) + "\"last\"";
    post("/v1/jobs/" + id + "/heartbeat", token + ", \"log\": [" + many + "]}");
    post("/v1/jobs/" + id + "/complete", token + "}");
    try (JobEvents events = events(id, "Last-Event-ID: " + first)) {
      List<Event> rest = events.rest();
      rest.forEach(this::checkData);
      assertThat(rest).hasSize(252);
      assertThat(rest.getFirst().data().path("line").asString()).isEqualTo("three");
      assertThat(rest.get(250).data().path("line").asString()).isEqualTo("last");
      assertThat(state(rest.getLast())).isEqualTo("succeeded");
    }
  }

  @Test
  void whatIsWrongIsAnsweredBeforeTheStreamBegins() throws IOException {
    String id = submit(LATER);
    String path = "/v1/jobs/" + id + "/events";
    assertThat(get("/v1/jobs/01930000-0000-7000-8000-000000000000/events").problem())
        .isEqualTo("job-gone");
    for (String none : List.of("none", "ffffffff-ffff-7fff-bfff-ffffffffffff")) {
      assertThat(get("/v1/jobs/" + none + "/events").problem()).isEqualTo("job-not-found");
    }
    assertThat(get(path, "Accept", "application/json").status()).isEqualTo(406);
    assertThat(get(path, "Last-Event-ID", "7-1").problem()).isEqualTo("invalid-request");
    assertThat(get(path + "?limit=1").problem()).isEqualTo("unknown-filter");
    assertThat(send("POST", path).status()).isEqualTo(405);
    Answer head = api.send("HEAD", path, BodyPublishers.noBody());
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.header("Content-Type")).startsWith(EVENT_STREAM);
    assertThat(watchers()).isZero();
  }

  @Test
  void whoHasGoneLeavesNothingBehind() throws IOException {
    String id = submit(LATER);
    List<JobEvents> all = new ArrayList<>();
    for (int n = 0; n < 20; n++) {
      all.add(events(id));
    }
    Awaitility.await().atMost(SOON).until(() -> watchers() == all.size());
    for (JobEvents events : all) {
      next(events, "state");
      events.close();
    }
    Awaitility.await().atMost(SOON).until(() -> watchers() == 0);
  }

  @Test
  void whoDoesNotReadIsGivenUpAndNothingKeptForIt() throws IOException {
    StringBuilder labels = new StringBuilder();
    for (int n = 0; n < 16; n++) {
      labels.append(n == 0 ? "" : ",").append("\"l" + n + "\": \"" + "ü".repeat(255) + "\"");
    }
    String id = submit(LATER.replace("}", ", \"labels\": {" + labels + "}}"));
    try (JobEvents events = JobEvents.open(port, id, 4_096)) {
      assertThat(events.status()).isEqualTo(200);
      Awaitility.await()
          .atMost(SOON)
          .until(
              () -> {
                for (int n = 0; n < 50; n++) {
                  jdbc.sql("update delayed set version = version + 1 where id = :id")
                      .param("id", UUID.fromString(id))
                      .update();
                  watches.changed(UUID.fromString(id));
                }
                streams.beat();
                return watchers() == 0;
              });
    }
  }

  @Test
  void thereIsAnEndToHowManyWatch() throws IOException {
    String id = submit(LATER);
    List<Watch> all = new ArrayList<>();
    while (watches.takesMore()) {
      all.add(watches.open(UUID.fromString(id), new Nobody()));
    }
    assertThat(all).hasSize(5_000);
    Answer refused = get("/v1/jobs/" + id + "/events");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.problem()).isEqualTo("overloaded");
    assertThat(refused.header("Retry-After")).isNotEmpty();
    Answer unheeded = get("/v1/jobs/" + id, "Prefer", "wait=60");
    assertThat(unheeded.status()).isEqualTo(200);
    assertThat(unheeded.header("Preference-Applied")).isEmpty();
    all.forEach(Watch::close);
    assertThat(watchers()).isZero();
  }

  /** Takes a place. */
  private static final class Nobody implements Watcher {

    @Override
    public void see(Optional<Job> job, List<LogEntry> lines) {}

    @Override
    public void miss(RuntimeException why) {}

    @Override
    public void stop() {}
  }
}
