package dev.millpond.e2e;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A request that must be refused, for other reasons than the job in it.
 *
 * @param headers names and values in turn
 * @param body one character a byte
 * @param names what the answer must name
 */
record BadRequest(
    String method, String path, List<String> headers, String body, int status, String names) {

  private static final List<String> JSON = List.of("Content-Type", "application/json");
  private static final String NOOP = "{\"type\": \"demo.noop\"}";
  private static final String NO_JOB = "0193b0a0-0000-7000-8000-000000000000";

  @Override
  public String toString() {
    return "%s %.60s %.60s %.60s".formatted(method, path, headers, body);
  }

  static List<BadRequest> all(String queue) {
    String submit = "/v1/queues/" + queue + "/jobs";
    List<BadRequest> requests = new ArrayList<>();
    for (String path : List.of(submit, "/v1/jobs", submit + "/batch")) {
      for (String broken :
          List.of(
              "",
              " ",
              "{",
              "{\"type\":",
              "nul",
              "{} {}",
              "{'type': 1}",
              "{\"type\" \"x\"}",
              "\uFEFF")) {
        requests.add(post(path, broken, 400, ""));
      }
      for (String wrongType : List.of("null", "1", "\"job\"", "[]")) {
        requests.add(post(path, wrongType, 400, ""));
      }
      requests.add(post(path, "[".repeat(100_000), 400, ""));
      requests.add(post(path, "{\"a\":".repeat(100_000), 400, ""));
      String utf16 =
          new String(NOOP.getBytes(StandardCharsets.UTF_16LE), StandardCharsets.ISO_8859_1);
      String notUtf8 = NOOP.replace("noop", "\u00ff");
      requests.add(new BadRequest("POST", path, JSON, notUtf8, 400, ""));
      requests.add(new BadRequest("POST", path, JSON, utf16, 400, ""));
      requests.add(
          new BadRequest(
              "POST",
              path,
              List.of("Content-Type", "text/plain"),
              bytes(NOOP),
              415,
              "application/json"));
      requests.add(
          new BadRequest("POST", path, List.of("Content-Type", "nonsense"), bytes(NOOP), 415, ""));
      requests.add(new BadRequest("POST", path, List.of(), bytes(NOOP), 415, "application/json"));
    }
    requests.add(post(submit + "/batch", "{}", 400, "/jobs"));
    requests.add(post(submit + "/batch", "{\"jobs\": null}", 400, "/jobs"));
    requests.add(post(submit + "/batch", "{\"jobs\": {}}", 400, "/jobs"));
    requests.add(post(submit + "/batch", "{\"jobs\": []}", 400, "/jobs"));
    requests.add(post(submit + "/batch", "{\"jobs\": [null]}", 400, "/jobs/0"));
    requests.add(post(submit + "/batch", "{\"jobs\": [" + NOOP + ", 7]}", 400, "/jobs/1"));
    requests.add(
        post(submit + "/batch", "{\"jobs\": [" + NOOP + "], \"atomicc\": true}", 400, "/atomicc"));
    requests.add(
        post(
            submit + "/batch",
            "{\"jobs\": [" + (NOOP + ",").repeat(1_000) + NOOP + "]}",
            413,
            "1000"));
    requests.add(post("/v1/queues/UPPER/jobs/batch", "{\"jobs\": [" + NOOP + "]}", 404, "queue"));
    requests.add(
        post(
            submit,
            "{\"type\": \"demo.noop\", \"payload\": \"" + "x".repeat(20_000_000) + "\"}",
            413,
            ""));
    requests.add(
        post(submit + "/batch", "{\"jobs\": [\"" + "x".repeat(20_000_000) + "\"]}", 413, ""));

    for (String name :
        List.of("UPPER", "-dash", ".dot", "a%20b", "a".repeat(64), "%C3%A4", "a%0Ab")) {
      requests.add(post("/v1/queues/" + name + "/jobs", NOOP, 404, "queue"));
      requests.add(get("/v1/queues/" + name, 404, "queue"));
      requests.add(
          new BadRequest("PUT", "/v1/queues/" + name, JSON, bytes("{\"cap\": 1}"), 404, "queue"));
      requests.add(get("/v1/jobs?queue=" + name, 400, "queue"));
    }
    requests.add(
        post(submit, NOOP, 400, "Idempotency-Key").withHeaders("Idempotency-Key", "k".repeat(256)));
    requests.add(post(submit, NOOP, 400, "Idempotency-Key").withHeaders("Idempotency-Key", ""));
    requests.add(
        post(submit, NOOP, 400, "Idempotency-Key").withHeaders("Idempotency-Key", "\"open"));

    for (String tenant : List.of("", "-dash", "two words", "a".repeat(64))) {
      requests.add(
          post(submit, NOOP, 400, "Millpond-Tenant").withHeaders("Millpond-Tenant", tenant));
    }
    requests.add(
        post(submit, "{\"type\": \"demo.noop\", \"tenant\": \"a\"}", 400, "/tenant")
            .withHeaders("Millpond-Tenant", "b"));

    requests.add(get("/v1/jobs/" + NO_JOB, 410, ""));
    requests.add(get("/v1/jobs/ffffffff-ffff-7fff-bfff-ffffffffffff", 404, ""));
    requests.add(get("/v1/jobs/" + NO_JOB + "?includ=log", 400, "knownFilters"));
    requests.add(post(submit + "?delay=PT1S", NOOP, 400, "knownFilters"));
    requests.add(get("/v1/jobs/1", 404, "id"));
    requests.add(get("/v1/jobs/" + NO_JOB + "0", 404, "id"));
    requests.add(get("/v1/jobs/'%20or%201=1", 404, "id"));
    for (String action : List.of("cancel", "retry")) {
      requests.add(post("/v1/jobs/" + NO_JOB + "/" + action, "", 410, ""));
      requests.add(post("/v1/jobs/1/" + action, "", 404, "id"));
    }
    requests.add(get("/v1/jobs/" + NO_JOB + "/log", 410, ""));
    requests.add(new BadRequest("DELETE", "/v1/jobs/" + NO_JOB, List.of(), "", 410, ""));
    requests.add(new BadRequest("DELETE", "/v1/jobs/1", List.of(), "", 404, "id"));
    requests.add(get("/v1/queues/no-such-queue", 404, "queue"));

    for (String limit : List.of("0", "501", "-1", "many", "", "1.5", "99999999999")) {
      requests.add(get("/v1/jobs?limit=" + limit, 400, "limit"));
    }
    for (String cursor : List.of("x", "!!!", "AAAA", "bm9uc2Vuc2U", "%00", "a".repeat(5_000))) {
      requests.add(get("/v1/jobs?cursor=" + cursor, 400, "cursor"));
    }
    requests.add(get("/v1/jobs?state=done", 400, "state"));
    requests.add(get("/v1/jobs?state=SUCCEEDED", 400, "state"));
    requests.add(get("/v1/jobs?stat=queued", 400, "submittedAfter"));
    requests.add(get("/v1/jobs?type=%00", 400, "type"));
    requests.add(get("/v1/jobs?label=a:%00", 400, "label"));
    requests.add(get("/v1/jobs?label=nocolon", 400, "label"));
    requests.add(get("/v1/jobs?submittedAfter=yesterday", 400, "submittedAfter"));
    requests.add(
        get("/v1/jobs?submittedAfter=%2B999999999-12-31T23:59:59Z", 400, "submittedAfter"));
    requests.add(get("/v1/jobs?submittedAfter=-999999999-12-31T23:59:59Z", 400, "submittedAfter"));
    requests.add(get("/v1/jobs?include=secrets", 400, "include"));
    requests.add(get("/v1/jobs?id=1,2", 400, "id"));
    requests.add(get("/v1/jobs?tenant=two%20words", 400, "tenant"));

    for (String settings :
        List.of(
            "{\"cap\": -1}",
            "{\"cap\": 1.5}",
            "{\"cap\": \"9\"}",
            "{\"cap\": 1e12}",
            "{\"cap\": []}")) {
      requests.add(
          new BadRequest("PUT", "/v1/queues/" + queue, JSON, bytes(settings), 400, "/cap"));
    }
    for (String settings :
        List.of("{\"concurrency\": 0}", "{\"concurrency\": -5}", "{\"concurrency\": \"2\"}")) {
      requests.add(
          new BadRequest("PUT", "/v1/queues/" + queue, JSON, bytes(settings), 400, "/concurrency"));
    }
    for (String maxWait :
        List.of("\"PT0S\"", "\"PT-5S\"", "\"PT25H\"", "\"30s\"", "\"\"", "30", "{}")) {
      String settings = "{\"maxWait\": " + maxWait + "}";
      requests.add(
          new BadRequest("PUT", "/v1/queues/" + queue, JSON, bytes(settings), 400, "/maxWait"));
    }
    requests.add(
        new BadRequest("PUT", "/v1/queues/" + queue, JSON, bytes("{\"capp\": 1}"), 400, "/capp"));
    requests.add(
        new BadRequest(
            "PUT", "/v1/queues/" + queue, JSON, bytes("{\"cap\": 1, \"cap\": 2}"), 400, "cap"));
    requests.add(new BadRequest("PUT", "/v1/queues/" + queue, JSON, bytes("[]"), 400, ""));

    requests.add(new BadRequest("DELETE", submit, List.of(), "", 405, ""));
    requests.add(new BadRequest("PATCH", "/v1/jobs/" + NO_JOB, JSON, bytes("{}"), 405, ""));
    requests.add(get("/v1/nothing", 404, ""));
    requests.add(get("/v2/jobs", 404, ""));
    requests.add(new BadRequest("GET", "/v1/jobs", List.of("Accept", "text/csv"), "", 406, ""));
    return requests;
  }

  private static BadRequest post(String path, String body, int status, String names) {
    return new BadRequest("POST", path, JSON, bytes(body), status, names);
  }

  private static BadRequest get(String path, int status, String names) {
    return new BadRequest("GET", path, List.of(), "", status, names);
  }

  private BadRequest withHeaders(String... more) {
    List<String> all = new ArrayList<>(headers);
    all.addAll(List.of(more));
    return new BadRequest(method, path, all, body, status, names);
  }

  private static String bytes(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }
}
