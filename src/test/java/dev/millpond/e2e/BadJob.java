package dev.millpond.e2e;

import java.util.ArrayList;
import java.util.List;

/**
 * A job that must not be accepted.
 *
 * @param body its JSON
 * @param status of the answer
 * @param pointer with which the pointer of a field that the answer names begins, from the job's
 *     root; or else text that is in the answer
 */
record BadJob(String body, int status, String pointer) {

  private static final int INVALID = 400;

  @Override
  public String toString() {
    return body.length() > 80 ? body.substring(0, 80) + "…" : body;
  }

  static List<BadJob> all() {
    List<BadJob> jobs = new ArrayList<>();
    jobs.add(new BadJob("{}", INVALID, "/type"));
    jobs.add(new BadJob("{\"type\": null}", INVALID, "/type"));
    jobs.add(new BadJob("{\"type\": 1}", INVALID, "/type"));
    jobs.add(new BadJob("{\"type\": \"\"}", INVALID, "/type"));
    jobs.add(new BadJob("{\"type\": \"Demo Noop\"}", INVALID, "/type"));
    jobs.add(new BadJob("{\"type\": \"" + "a".repeat(64) + "\"}", INVALID, "/type"));
    jobs.add(new BadJob("{\"type\": \"no.such\"}", INVALID, "demo.noop"));
    jobs.add(new BadJob("{\"type\": \"demo.noop\", \"type\": \"demo.noop\"}", INVALID, "type"));
    jobs.add(noop("\"payload\": {\"a\": 1, \"a\": 2}", "a"));
    jobs.add(noop("\"prioritty\": 1", "/prioritty"));
    jobs.add(noop("\"tenantt\": {\"deep\": [1, 2]}", "/tenantt"));

    for (String priority :
        List.of("-1", "10", "4.5", "\"4\"", "true", "[]", "{}", "1e9", "99999999999999999999")) {
      jobs.add(noop("\"priority\": " + priority, "/priority"));
    }
    for (String delay :
        List.of(
            "\"PT-1S\"",
            "\"P366DT1S\"",
            "\"P2000000000D\"",
            "\"soon\"",
            "\"\"",
            "10",
            "{}",
            "\"PT1e3S\"")) {
      jobs.add(noop("\"delay\": " + delay, "/delay"));
    }
    for (String instant :
        List.of(
            "\"tomorrow\"",
            "\"\"",
            "1",
            "\"0000-01-01T00:00:00Z\"",
            "\"2026-13-01T00:00:00Z\"",
            "\"9999-12-31T23:59:59Z\"",
            "\"+999999999-12-31T23:59:59Z\"",
            "\"2026-02-30T00:00:00Z\"",
            "\"2026-11-23 15:16\"")) {
      jobs.add(noop("\"runAt\": " + instant, "/runAt"));
    }
    for (String instant :
        List.of("\"never\"", "7", "\"2020-01-01T00:00:00Z\"", "\"+999999999-12-31T23:59:59Z\"")) {
      jobs.add(noop("\"startBy\": " + instant, "/startBy"));
    }
    jobs.add(noop("\"delay\": \"PT1S\", \"runAt\": \"2026-12-01T00:00:00Z\"", "delay"));
    for (String timeout :
        List.of("\"PT0S\"", "\"PT0.05S\"", "\"PT-1S\"", "\"PT24H1S\"", "\"P1Y\"", "60", "[]")) {
      jobs.add(noop("\"timeout\": " + timeout, "/timeout"));
    }

    for (String attempts : List.of("0", "-1", "101", "2.5", "\"3\"", "99999999999")) {
      jobs.add(noop("\"retry\": {\"maxAttempts\": " + attempts + "}", "/retry/maxAttempts"));
    }
    for (String multiplier : List.of("0.5", "-1", "\"2\"", "1e400", "[]")) {
      jobs.add(noop("\"retry\": {\"multiplier\": " + multiplier + "}", "/retry/multiplier"));
    }
    jobs.add(noop("\"retry\": {\"multiplier\": NaN}", ""));
    jobs.add(noop("\"retry\": {\"initialDelay\": \"PT-1S\"}", "/retry/initialDelay"));
    jobs.add(noop("\"retry\": {\"initialDelay\": 1}", "/retry/initialDelay"));
    jobs.add(noop("\"retry\": {\"maxDelay\": \"P2000000000D\"}", "/retry/maxDelay"));
    jobs.add(noop("\"retry\": {\"max\": 3}", "/retry/max"));
    jobs.add(noop("\"retry\": 3", "/retry"));
    jobs.add(noop("\"retry\": [3]", "/retry"));

    for (String tenant : List.of("\"\"", "\"-dash\"", "\"two words\"", "\"é\"", "7", "[]", "{}")) {
      jobs.add(noop("\"tenant\": " + tenant, "/tenant"));
    }
    jobs.add(noop("\"tenant\": \"" + "a".repeat(64) + "\"", "/tenant"));

    jobs.add(noop("\"labels\": []", "/labels"));
    jobs.add(noop("\"labels\": \"a\"", "/labels"));
    jobs.add(noop("\"labels\": {\"a\": 1}", "/labels/a"));
    jobs.add(noop("\"labels\": {\"a\": null}", "/labels/a"));
    jobs.add(noop("\"labels\": {\"a\": {\"b\": \"c\"}}", "/labels/a"));
    jobs.add(noop("\"labels\": {\"a\": \"" + "x".repeat(256) + "\"}", "/labels/a"));
    jobs.add(noop("\"labels\": {\"" + "k".repeat(64) + "\": \"v\"}", "/labels"));
    jobs.add(noop("\"labels\": {" + manyLabels(17) + "}", "/labels"));
    jobs.add(noop("\"labels\": {\"a\": \"\\u0000\"}", "/labels/a"));
    jobs.add(noop("\"labels\": {\"a\": \"\\ud800\"}", "/labels/a"));

    jobs.add(noop("\"payload\": \"\\u0000\"", "/payload"));
    jobs.add(noop("\"payload\": {\"deep\": [\"a\\u0000b\"]}", "/payload"));
    jobs.add(noop("\"payload\": {\"a\\u0000b\": 1}", "/payload"));
    jobs.add(noop("\"payload\": \"\\ud83d\"", "/payload"));
    jobs.add(noop("\"payload\": \"\\udc00\\ud800\"", "/payload"));
    jobs.add(noop("\"payload\": " + "[".repeat(2_000) + "]".repeat(2_000), "/payload"));
    jobs.add(noop("\"payload\": " + "{\"a\":".repeat(2_000) + "1" + "}".repeat(2_000), "/payload"));
    jobs.add(new BadJob(job("\"payload\": \"" + "x".repeat(300_000) + "\""), 413, "/payload"));

    jobs.add(typed("demo.sleep", "{}", "/payload/duration"));
    jobs.add(typed("demo.sleep", "null", "/payload"));
    jobs.add(typed("demo.sleep", "[]", "/payload"));
    jobs.add(typed("demo.sleep", "{\"duration\": \"long\"}", "/payload/duration"));
    jobs.add(typed("demo.sleep", "{\"duration\": \"PT-1S\"}", "/payload/duration"));
    jobs.add(typed("demo.sleep", "{\"duration\": \"PT1S\", \"steps\": 0}", "/payload/steps"));
    jobs.add(typed("demo.sleep", "{\"duration\": \"PT1S\", \"stepps\": 1}", "/payload/stepps"));
    jobs.add(typed("demo.primes", "{\"upTo\": \"many\"}", "/payload/upTo"));
    jobs.add(typed("demo.primes", "{\"upTo\": -1}", "/payload/upTo"));
    jobs.add(typed("http.request", "{}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": 7}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": \"\"}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": \"not a url\"}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": \"/relative\"}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": \"ftp://example.org/\"}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": \"http:///nohost\"}", "/payload/url"));
    jobs.add(typed("http.request", "{\"url\": \"http://example.org:99999/\"}", "/payload/url"));
    jobs.add(
        typed(
            "http.request",
            "{\"url\": \"http://example.org/\", \"method\": \"B AD\"}",
            "/payload/method"));
    jobs.add(
        typed(
            "http.request",
            "{\"url\": \"http://example.org/\", \"timeout\": \"PT0S\"}",
            "/payload/timeout"));
    jobs.add(
        typed(
            "http.request",
            "{\"url\": \"http://example.org/\", \"headers\": {\"A\": \"b\\r\\nC: d\"}}",
            "/payload/headers"));
    jobs.add(
        typed(
            "http.request",
            "{\"url\": \"http://example.org/\", \"successStatus\": \"fine\"}",
            "/payload/successStatus"));
    return jobs;
  }

  private static BadJob noop(String members, String pointer) {
    return new BadJob(job(members), INVALID, pointer);
  }

  private static String job(String members) {
    return "{\"type\": \"demo.noop\", " + members + "}";
  }

  private static BadJob typed(String type, String payload, String pointer) {
    return new BadJob(
        "{\"type\": \"%s\", \"payload\": %s}".formatted(type, payload), INVALID, pointer);
  }

  private static String manyLabels(int count) {
    StringBuilder labels = new StringBuilder();
    for (int n = 0; n < count; n++) {
      labels.append(n == 0 ? "" : ", ").append("\"l").append(n).append("\": \"v\"");
    }
    return labels.toString();
  }
}
