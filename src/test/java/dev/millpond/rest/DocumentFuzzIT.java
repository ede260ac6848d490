package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.WithoutStoreFaults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Whatever a client sends, the answer is one that the OpenAPI document tells of; and the document
 * and the service agree on what is good: a value that the schema allows is never named as wrong,
 * one that it does not allow is refused by its name. The requests are made from the document, so a
 * new operation, field or parameter is tried as soon as it is described.
 */
@WithoutStoreFaults("what is good may be answered by a 503")
@Timeout(300)
class DocumentFuzzIT extends WholeApi {

  private static final long SEED = 20261126;

  /** Beside a place in a body, for a text that is no tree. */
  private static final String HERE = "@@here@@";

  private static final String NOT_THERE =
      "(has no handler|is no time zone that|names no job|is neither the id of a job).*";

  private static final Duration SLOW = Duration.ofSeconds(1);
  private static final int SHOWN = 15;
  private static final int LONGEST_PARAMETER = 2_000;
  private static final Logger log = LoggerFactory.getLogger(DocumentFuzzIT.class);

  private final List<String> failures = new ArrayList<>();

  // What of an operation was tried, was found good, and was found bad.
  private final Set<String> good = new TreeSet<>();
  private final Set<String> bad = new TreeSet<>();
  private int sent;

  private FuzzValues values = new FuzzValues(ApiClient.JSON.missingNode(), new Random(SEED));

  /** What the document lets one expect of the answer. */
  private enum Expected {
    GOOD,
    BAD,
    EITHER;

    static Expected of(boolean fits) {
      return fits ? GOOD : BAD;
    }
  }

  /** An operation of the document. */
  private record Operation(String method, String path, JsonNode text) {

    String id() {
      return text.path("operationId").asString();
    }

    boolean isSuccess(int status) {
      return status < 400 && text.path("responses").has(Integer.toString(status));
    }
  }

  /**
   * A place in a request where a value goes.
   *
   * @param in body, query, path or header
   * @param name a JSON Pointer in a body, else the parameter's name
   */
  private record Place(String in, String name, JsonNode schema, boolean required) {

    @Override
    public String toString() {
      return in + " " + name;
    }
  }

  @TestFactory
  Stream<DynamicTest> everyAnswerIsOneThatTheDocumentTellsOf() {
    values = new FuzzValues(described.document(), new Random(SEED));
    return operations().stream().map(op -> DynamicTest.dynamicTest(op.id(), () -> fuzz(op)));
  }

  private List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    described
        .document()
        .path("paths")
        .forEachEntry(
            (path, item) ->
                item.forEachEntry(
                    (verb, text) ->
                        operations.add(new Operation(verb.toUpperCase(Locale.ROOT), path, text))));
    assertThat(operations).isNotEmpty();
    return operations;
  }

  private void fuzz(Operation op) throws IOException {
    failures.clear();
    good.clear();
    bad.clear();
    sent = 0;
    long begin = System.nanoTime();
    api.put("/v1/queues/" + queueOf(op), "{}");
    List<Place> places = places(op);
    for (Place place : places) {
      if (place.in().equals("body")) {
        fuzzBody(op, place);
      } else {
        fuzzParameter(op, place);
      }
    }
    fuzzTheRest(op);
    for (Place place : places) {
      assertTried(place);
    }
    cleanUp(op);
    log.info(
        "{}: {} places, {} requests, {} ms",
        op.id(),
        places.size(),
        sent,
        Duration.ofNanos(System.nanoTime() - begin).toMillis());
    assertThat(failures.stream().limit(SHOWN))
        .as("%s, %d failures, seed %d", op.id(), failures.size(), SEED)
        .isEmpty();
  }

  /** A place for which no good or no bad value was found was not tried. */
  private void assertTried(Place place) {
    if (!good.contains(place.toString())) {
      failures.add("no good value for " + place);
    }
    // Any text is good for a header without a rule; a body can hold text that is no JSON.
    boolean hasRule =
        !place.in().equals("header") || values.word(place.schema(), "pattern").isString();
    if (hasRule && !bad.contains(place.toString())) {
      failures.add("no bad value for " + place);
    }
  }

  private List<Place> places(Operation op) {
    List<Place> places = new ArrayList<>();
    op.text()
        .path("parameters")
        .forEach(
            reference -> {
              JsonNode parameter = values.resolve(reference);
              places.add(
                  new Place(
                      parameter.path("in").asString(),
                      parameter.path("name").asString(),
                      parameter.path("schema"),
                      parameter.path("required").asBoolean(false)));
            });
    JsonNode schema = bodySchema(op);
    if (!schema.isMissingNode()) {
      addPlaces(places, "", schema, true);
    }
    return places;
  }

  private JsonNode bodySchema(Operation op) {
    return json(op).path("schema");
  }

  private JsonNode json(Operation op) {
    return values.resolve(op.text().path("requestBody")).path("content").path("application/json");
  }

  private void addPlaces(List<Place> places, String pointer, JsonNode schema, boolean required) {
    places.add(new Place("body", pointer, schema, required));
    for (JsonNode one : values.alternatives(schema)) {
      assertThat(FuzzValues.HEEDED).as(pointer).containsAll(one.propertyNames());
      one.path("properties")
          .forEachEntry(
              (name, below) -> addPlaces(places, pointer + "/" + name, below, requires(one, name)));
      if (one.path("additionalProperties").isObject()) {
        addPlaces(places, pointer + "/any", one.path("additionalProperties"), false);
      }
      if (one.has("items")) {
        addPlaces(places, pointer + "/0", one.path("items"), false);
      }
    }
  }

  private static boolean requires(JsonNode schema, String name) {
    return schema.path("required").valueStream().anyMatch(one -> one.asString().equals(name));
  }

  // Bodies

  private void fuzzBody(Operation op, Place place) throws IOException {
    Set<String> seeds = seeds(op, place);
    for (String value : values.json(place.schema(), seeds)) {
      // Nothing at all in an array is an array of nothing.
      if (!value.isBlank() || !place.name().endsWith("/0")) {
        send(op, place, body(op, place, value), Expected.of(values.fits(place.schema(), value)));
      }
    }
    fuzzMembers(op, place, seeds);
    if (!place.name().isEmpty()) {
      JsonNode without = base(op, place).deepCopy();
      boolean was = remove(without, place.name());
      if (was || place.required()) {
        send(op, place, request(op, without.toString()), Expected.of(!place.required()));
      }
      for (String seed : seeds) {
        String once = Objects.requireNonNull(body(op, place, HERE).body());
        String key = place.name().substring(place.name().lastIndexOf('/') + 1);
        String twice = once.replace(HERE, seed + ",\"" + key + "\":" + seed);
        if (!place.name().endsWith("/0")) {
          send(op, place, request(op, twice), Expected.BAD);
        }
      }
    }
  }

  /** Objects and arrays at the bounds of how much they hold, and with what nobody asked for. */
  private void fuzzMembers(Operation op, Place place, Set<String> seeds) throws IOException {
    JsonNode most = values.word(place.schema(), "maxProperties");
    if (most.isNumber()) {
      for (int size : new int[] {0, most.asInt(), most.asInt() + 1}) {
        ObjectNode object = ApiClient.JSON.createObjectNode();
        for (int i = 0; i < size; i++) {
          object.put("k" + i, "v");
        }
        sendValue(op, place, object.toString());
      }
    }
    JsonNode names = values.word(place.schema(), "propertyNames");
    if (names.isObject()) {
      for (String name : values.texts(names, List.of("\"a\""))) {
        sendValue(op, place, "{" + FuzzValues.quote(name) + ":\"v\"}");
      }
    }
    if (values.word(place.schema(), "additionalProperties").isBoolean()) {
      for (String seed : seeds.isEmpty() ? Set.of("{}") : seeds) {
        for (String name : List.of("no-such-field", "", "\u0000", "\uD83D\uDE00")) {
          ObjectNode more = (ObjectNode) ApiClient.JSON.readTree(seed);
          more.put(name, 1);
          send(op, place, body(op, place, more.toString()), Expected.BAD);
        }
      }
    }
    JsonNode items = values.word(place.schema(), "maxItems");
    if (items.isNumber()) {
      String seed = ApiClient.JSON.readTree(seeds.iterator().next()).path(0).toString();
      for (int size : new int[] {0, 1, items.asInt(), items.asInt() + 1}) {
        sendValue(
            op,
            place,
            "[" + String.join(",", Stream.generate(() -> seed).limit(size).toList()) + "]");
      }
    }
  }

  private void sendValue(Operation op, Place place, String value) throws IOException {
    send(op, place, body(op, place, value), Expected.of(values.fits(place.schema(), value)));
  }

  /** Values that the document itself shows for a place. */
  private Set<String> seeds(Operation op, Place place) {
    Set<String> seeds = new LinkedHashSet<>();
    for (String word : List.of("default", "example")) {
      seeds.add(values.word(place.schema(), word).toString());
    }
    for (JsonNode example : examples(op)) {
      seeds.add(example.at(place.name()).toString());
    }
    if (place.name().endsWith("/dependsOn/0")) {
      seeds.add(FuzzValues.quote(finishedJob()));
    }
    seeds.addAll(List.of("\"a\"", "\"PT1S\"", "{}"));
    seeds.removeIf(seed -> seed.isEmpty() || !values.fits(place.schema(), seed));
    return seeds;
  }

  private List<JsonNode> examples(Operation op) {
    List<JsonNode> examples = new ArrayList<>();
    json(op).path("examples").forEach(one -> examples.add(values.resolve(one).path("value")));
    return examples;
  }

  /** The first example of the document. */
  private JsonNode base(Operation op) {
    return examples(op).getFirst();
  }

  /** The first example, or where the place is required, the first that has where it belongs. */
  private JsonNode base(Operation op, Place place) {
    String parent = place.name().replaceFirst("/[^/]*$", "");
    return examples(op).stream()
        .filter(example -> !place.required() || example.at(parent).isContainer())
        .findFirst()
        .orElseGet(() -> base(op));
  }

  private FuzzRequest body(Operation op, Place place, String value) {
    if (place.name().isEmpty()) {
      return request(op, value);
    }
    JsonNode body = base(op, place).deepCopy();
    put(body, place.name());
    return request(op, body.toString().replace("\"" + HERE + "\"", value));
  }

  private static void put(JsonNode root, String pointer) {
    List<String> steps = Arrays.asList(pointer.substring(1).split("/"));
    JsonNode at = root;
    for (int i = 0; i < steps.size(); i++) {
      boolean last = i == steps.size() - 1;
      if (at instanceof ArrayNode array) {
        if (last) {
          array.set(0, HERE);
        }
        at = array.path(0);
      } else {
        ObjectNode object = (ObjectNode) at;
        if (last) {
          object.put(steps.get(i), HERE);
        } else if (!object.has(steps.get(i))) {
          if (steps.get(i + 1).equals("0")) {
            object.putArray(steps.get(i)).add(HERE);
          } else {
            object.putObject(steps.get(i));
          }
        }
        at = object.path(steps.get(i));
      }
    }
  }

  private static boolean remove(JsonNode root, String pointer) {
    int slash = pointer.lastIndexOf('/');
    return root.at(pointer.substring(0, slash)) instanceof ObjectNode object
        && object.remove(pointer.substring(slash + 1)) != null;
  }

  // Parameters

  private void fuzzParameter(Operation op, Place place) throws IOException {
    boolean isArray = values.word(place.schema(), "type").asString("").equals("array");
    JsonNode one = isArray ? values.word(place.schema(), "items") : place.schema();
    Set<String> seeds = new LinkedHashSet<>();
    seeds.add(FuzzValues.quote(valueOf(op, place)));
    values.word(one, "enum").forEach(choice -> seeds.add(choice.toString()));
    Set<String> texts = new LinkedHashSet<>(values.texts(one, seeds));
    seeds.forEach(seed -> texts.add(ApiClient.JSON.readTree(seed).asString()));
    texts.addAll(values.numbers(one));
    texts.addAll(List.of("1", "050", "1e1", "99999999999999999999", "\u0663"));
    for (String any : texts) {
      // A text without half surrogate pairs: UTF-8 cannot spell them.
      String text = new String(any.getBytes(UTF_8), UTF_8);
      // Longer ones never reach who would read them; they have requests of their own.
      if (text.length() <= LONGEST_PARAMETER) {
        fuzzParameter(op, place, text);
      }
    }
    JsonNode most = values.word(place.schema(), "maxItems");
    if (most.isNumber()) {
      for (int size : new int[] {most.asInt(), most.asInt() + 1}) {
        String item = valueOf(op, place);
        fuzzParameter(
            op, place, String.join(",", Stream.generate(() -> item).limit(size).toList()));
      }
    }
    if (place.in().equals("query")) {
      boolean repeats = isArray && explodes(op, place);
      String twice = place.name() + "=" + FuzzRequest.encode(valueOf(op, place));
      send(op, place, query(op, twice + "&" + twice), repeats ? Expected.GOOD : Expected.BAD);
    } else if (place.in().equals("header")) {
      String line = place.name() + ": " + valueOf(op, place);
      send(op, place, request(op, goodBody(op)).header(line).header(line), Expected.EITHER);
    }
  }

  private void fuzzParameter(Operation op, Place place, String text) throws IOException {
    switch (place.in()) {
      case "query" ->
          send(
              op,
              place,
              query(op, place.name() + "=" + FuzzRequest.encode(text)),
              Expected.of(isGood(op, place, text)));
      case "path" -> {
        String encoded = FuzzRequest.encode(text);
        // These are other paths.
        boolean isElsewhere = encoded.isEmpty() || encoded.equals(".") || encoded.equals("..");
        send(
            op,
            place,
            request(op, goodBody(op), place.name(), encoded),
            isElsewhere ? Expected.EITHER : Expected.of(isGood(op, place, text)));
      }
      default -> {
        if (text.chars().noneMatch(c -> c == '\r' || c == '\n')) {
          // Of what is not visible ASCII, what arrives is up to the connector.
          boolean isPlain = text.strip().chars().allMatch(c -> c >= 0x20 && c < 0x7f);
          send(
              op,
              place,
              request(op, goodBody(op)).header(place.name() + ": " + text),
              isPlain ? Expected.of(isGood(op, place, text.strip())) : Expected.EITHER);
        }
      }
    }
  }

  /** Whether a parameter's text is a value of its schema: numbers are written in digits. */
  private boolean isGood(Operation op, Place place, String text) {
    String type = values.word(place.schema(), "type").asString("");
    if (type.equals("integer")) {
      return text.matches("-?(0|[1-9][0-9]*)") && values.fits(place.schema(), text);
    }
    if (type.equals("array")) {
      Stream<String> items =
          explodes(op, place) ? Stream.of(text) : Arrays.stream(text.split(",", -1));
      return values.fits(
          place.schema(), "[" + String.join(",", items.map(FuzzValues::quote).toList()) + "]");
    }
    return values.fits(place.schema(), FuzzValues.quote(text));
  }

  private boolean explodes(Operation op, Place place) {
    return parameter(op, place).path("explode").asBoolean(true);
  }

  private JsonNode parameter(Operation op, Place place) {
    return StreamSupport.stream(op.text().path("parameters").spliterator(), false)
        .map(values::resolve)
        .filter(one -> one.path("name").asString().equals(place.name()))
        .findFirst()
        .orElseThrow();
  }

  /** A good value: the document's example, or what this test has made for the purpose. */
  private String valueOf(Operation op, Place place) {
    JsonNode example = parameter(op, place).path("example");
    return switch (place.name()) {
      case "queue" -> queueOf(op);
      case "id" -> finishedJob();
      default -> example.isArray() ? example.path(0).asString() : example.asString("a");
    };
  }

  // What belongs to no place

  private void fuzzTheRest(Operation op) throws IOException {
    Place none = new Place("request", "", ApiClient.JSON.missingNode(), false);
    for (String query : List.of("no-such-parameter=1", "%00=1", "a%ff=%fe", "limi=5")) {
      send(op, none, query(op, query), Expected.BAD);
    }
    for (String query : List.of("", "&", "=", "%", "%zz", "?", "a=%u0041", "<>\"{}|^`")) {
      send(op, none, query(op, query), Expected.EITHER);
    }
    for (String junk :
        List.of("%zz", "%", "%00", "%2e%2e", "%2F", "%5C", "a;b=c", "%ff%fe", "x".repeat(7_000))) {
      for (Place place : places(op).stream().filter(one -> one.in().equals("path")).toList()) {
        send(op, none, request(op, goodBody(op), place.name(), junk), Expected.EITHER);
      }
    }
    send(
        op,
        none,
        request(op, goodBody(op)).header("X-Long: " + "x".repeat(10_000)),
        Expected.EITHER);
    send(op, none, request(op, goodBody(op)).header("Accept: text/csv"), Expected.EITHER);
    send(op, none, request(op, goodBody(op)).header("Accept: nonsense"), Expected.EITHER);
    if (bodySchema(op).isMissingNode()) {
      send(
          op,
          none,
          request(op, "{\"a\": [").header("Content-Type: application/json"),
          Expected.EITHER);
      return;
    }
    String body = base(op).toString();
    FuzzRequest plain = request(op, body);
    for (String type :
        List.of(
            "text/plain",
            "application/xml",
            "nonsense",
            "application/json;charset=latin1",
            "application/jsonx",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "")) {
      send(
          op,
          none,
          new FuzzRequest(plain.method(), plain.target(), List.of("Content-Type: " + type), body),
          Expected.BAD);
    }
    send(op, none, new FuzzRequest(plain.method(), plain.target(), List.of(), null), Expected.BAD);
    send(
        op,
        none,
        new FuzzRequest(plain.method(), plain.target(), plain.headers(), null),
        Expected.BAD);
    for (String broken :
        List.of("", " ", "[" + body + "]", body + body, "\uFEFF" + body, "\u0000" + body)) {
      send(op, none, request(op, broken), Expected.BAD);
    }
    for (int end = 1; end < body.length(); end++) {
      send(op, none, request(op, body.substring(0, end)), Expected.BAD);
    }
    send(op, none, plain.header("Content-Encoding: gzip"), Expected.BAD);
  }

  // Requests

  private String queueOf(Operation op) {
    return queue + "-" + op.id().toLowerCase(Locale.ROOT);
  }

  /** A new job that has ended: each operation does something to it, and none waits for it. */
  private String finishedJob() {
    try {
      String id = api.submit(queue, LATER);
      assertThat(api.cancel(id).status()).isEqualTo(200);
      return id;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private @Nullable String goodBody(Operation op) {
    return bodySchema(op).isMissingNode() ? null : base(op).toString();
  }

  private FuzzRequest query(Operation op, String query) {
    FuzzRequest plain = request(op, goodBody(op));
    return new FuzzRequest(
        plain.method(), plain.target() + "?" + query, plain.headers(), plain.body());
  }

  private FuzzRequest request(Operation op, @Nullable String body) {
    return request(op, body, "", "");
  }

  /** A request in which all is good but perhaps the body and one part of the path. */
  private FuzzRequest request(Operation op, @Nullable String body, String part, String value) {
    String path = op.path();
    for (JsonNode reference : op.text().path("parameters")) {
      JsonNode parameter = values.resolve(reference);
      String name = parameter.path("name").asString();
      if (parameter.path("in").asString().equals("path")) {
        Place place = new Place("path", name, parameter.path("schema"), true);
        path = path.replace("{" + name + "}", name.equals(part) ? value : valueOf(op, place));
      }
    }
    return new FuzzRequest(
        op.method(),
        path,
        body == null ? List.of() : List.of("Content-Type: application/json"),
        body);
  }

  private void send(Operation op, Place place, FuzzRequest request, Expected expected)
      throws IOException {
    sent++;
    long begin = System.nanoTime();
    Answer answer = request.send(port);
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    if (took.compareTo(SLOW) > 0) {
      // On a machine that others use too any request may be held up once. What is slow by itself,
      // and that is what a client could make use of, is so twice.
      long again = System.nanoTime();
      answer = request.send(port);
      took = Duration.ofNanos(Math.min(took.toNanos(), System.nanoTime() - again));
    }
    try {
      assertThat(took).as("how long it took").isLessThan(SLOW);
      judge(op, place, request, answer, expected);
    } catch (AssertionError wrong) {
      failures.add(
          "%s, %s expected %s: %.300s\n  %.500s\n  %s"
              .formatted(
                  op.id(),
                  place,
                  expected,
                  String.valueOf(wrong.getMessage()).strip(),
                  answer.status() + " " + answer.body(),
                  request.curl(port)));
    }
  }

  private void judge(
      Operation op, Place place, FuzzRequest request, Answer answer, Expected expected) {
    Set<String> busy = Set.of("queue-full", "deadline-unreachable", "overloaded");
    assertThat(answer.status() < 500 || busy.contains(answer.problem())).as("no 5xx").isTrue();
    described.check(request.method(), request.target(), answer);
    if (!answer.problem().isEmpty()) {
      assertThat(Problem.of(answer.problem())).as("a known problem").isPresent();
    }
    boolean isRefused = !op.isSuccess(answer.status());
    boolean isNamed = isRefused && names(answer, place);
    if (expected == Expected.GOOD) {
      assertThat(isNamed).as("what the document allows is named as wrong").isFalse();
      good.add(place.toString());
    } else if (expected == Expected.BAD) {
      assertThat(isRefused).as("what the document does not allow is refused").isTrue();
      assertThat(isNamed || !mustName(answer, place)).as("it names the place").isTrue();
      bad.add(place.toString());
    }
  }

  /**
   * What is no path at all never reaches those who know its parts, and where JSON is broken the
   * reader sees it only behind it.
   */
  private static boolean mustName(Answer answer, Place place) {
    return answer.problem().equals("invalid-request")
        && !place.in().equals("path")
        && !answer.body().contains("JSON")
        // A header with a control character is refused by the web server.
        && !answer.body().contains("not well-formed HTTP");
  }

  /** Whether the answer says that the value at the place is not valid. */
  private static boolean names(Answer answer, Place place) {
    if (!Set.of("invalid-request", "invalid-idempotency-key").contains(answer.problem())) {
      // A path that leads nowhere is not told from one that cannot lead anywhere.
      return false;
    }
    return place.in().equals("request")
        || answer.json().path("errors").valueStream().anyMatch(error -> names(error, place));
  }

  private static boolean names(JsonNode error, Place place) {
    // Which handlers, time zones and jobs there are is no matter of form.
    if (error.path("detail").asString().matches(NOT_THERE)) {
      return false;
    }
    String pointer = error.path("pointer").asString("-");
    String parameter = error.path("parameter").asString(error.path("header").asString(""));
    return place.in().equals("body")
        ? pointer.startsWith(place.name()) || place.name().startsWith(pointer)
        : parameter.equals(place.name());
  }

  private void cleanUp(Operation op) throws IOException {
    for (String name : Set.of(queueOf(op), queue, "default")) {
      for (String state : List.of("queued", "scheduled", "blocked", "retrying")) {
        for (JsonNode job : api.jobs("queue=" + name + "&state=" + state)) {
          api.cancel(job.path("id").asString());
        }
      }
    }
  }
}
