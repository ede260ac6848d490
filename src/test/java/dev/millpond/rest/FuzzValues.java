package dev.millpond.rest;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Values for a schema of the OpenAPI document, good and bad, as JSON text, since much of what a
 * client can send is no tree; and the judge of which is which. Bounds that JSON Schema has no word
 * for stand in the document as {@code x-minimum}, {@code x-maximum} (durations; of an instant,
 * another instant or how far from now) and {@code x-max-bytes}.
 */
final class FuzzValues {

  /** What the document says of all bodies: no value is nested deeper. */
  static final int MAX_DEPTH = 64;

  /** Words of JSON Schema that are heeded here; another one would be a bound that nobody tries. */
  static final Set<String> HEEDED =
      Set.of(
          "$ref",
          "additionalProperties",
          "default",
          "description",
          "enum",
          "example",
          "format",
          "items",
          "maximum",
          "maxItems",
          "maxLength",
          "maxProperties",
          "minimum",
          "minItems",
          "minLength",
          "oneOf",
          "pattern",
          "properties",
          "propertyNames",
          "required",
          "type",
          "uniqueItems",
          "x-max-bytes",
          "x-maximum",
          "x-minimum");

  private static final JsonMapper STRICT =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(10_000).build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12,
          registry ->
              registry.schemaRegistryConfig(
                  SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));

  /** What a text can do to whom it meets. */
  private static final List<String> STRANGE_TEXTS =
      List.of(
          "",
          " ",
          "\u0000",
          "a\u0000b",
          "\ud800",
          "\udfff\ud800",
          "a\udc00",
          "\u202Eevil\u202C",
          "\u200B",
          "\uFEFF",
          "\uFFFF",
          "e\u0301",
          "\u00E9",
          "\u0130\u0131\u017F\u212A",
          "\uD83D\uDC4D\uD83C\uDFFD",
          "\r\n",
          "\t",
          "\u0085\u2028",
          "'; drop table job; --",
          "${jndi:ldap://127.0.0.1/x}",
          "{{7*7}}<script>",
          "../../etc/passwd",
          "%00%n%s",
          "null",
          "NaN",
          "\\",
          "\"",
          "x".repeat(100_000),
          "\uD83D\uDE00".repeat(20_000));

  private static final List<String> STRANGE_ENDS =
      List.of(
          "A", "_", ".", "-", "/", ":", " ", "\"", "%", "\n", "\u00E9", "\uD83D\uDE00", "\ud800");

  private static final List<String> STRANGE_DURATIONS =
      List.of(
          "P1Y", "P1M", "P1W", "P", "PT", "P1DT", "-PT1S", "PT-1S", "pt1s", "PT1,5S", "PT1S ", "1");

  private static final List<String> STRANGE_INSTANTS =
      List.of(
          "2026-02-30T00:00:00Z",
          "2026-11-23",
          "2026-11-23T15:16:00",
          "2026-11-23T25:00:00Z",
          "2026-11-23T15:16:00+25:00",
          "2026-11-23T15:16:60Z",
          "2026-11-23 15:16:00Z",
          "-0001-01-01T00:00:00Z",
          "+10000-01-01T00:00:00Z",
          "2026-11-23T15:16:00.Z",
          "0",
          "now");

  private static final List<String> STRANGE_JSON =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "-0",
          "-0.0",
          "1",
          "-1",
          "1.0",
          "1.5",
          "1e0",
          "1e400",
          "-1e400",
          "1e-400",
          "1e999999999",
          "9223372036854775807",
          "9223372036854775808",
          "-9223372036854775809",
          "2147483648",
          "4294967300",
          "9".repeat(900),
          "0." + "1".repeat(900),
          "[]",
          "{}",
          "[[]]",
          "[null]",
          "{\"\": null}",
          "{\"a\": 1, \"a\": 2}",
          "[{\"a\": {\"b\": 1, \"b\": 1}}]",
          "{\"__proto__\": {\"a\": 1}}",
          "[".repeat(60) + "]".repeat(60),
          "[".repeat(70) + "]".repeat(70),
          "[".repeat(900) + "]".repeat(900),
          "[".repeat(5_000) + "]".repeat(5_000),
          "{\"a\":".repeat(70) + "1" + "}".repeat(70),
          // No JSON at all.
          "",
          "NaN",
          "Infinity",
          "01",
          "+1",
          "1.",
          ".5",
          "0x10",
          "'a'",
          "undefined",
          "\"\\x\"",
          "\"\\ud800\\u\"",
          "\"a\nb\"",
          "[1,]",
          "{\"a\":1,}",
          "/* */ 1",
          "1 // one",
          "\"open",
          "tru");

  private final JsonNode document;
  private final Random random;
  private final Map<JsonNode, Schema> compiled = new HashMap<>();

  FuzzValues(JsonNode document, Random random) {
    this.document = document;
    this.random = random;
  }

  /** What a reference leads to, or the node itself. */
  JsonNode resolve(JsonNode node) {
    String reference = node.path("$ref").asString("");
    return reference.isEmpty() ? node : document.at(reference.substring(1));
  }

  /** A schema and those of which it takes one. */
  List<JsonNode> alternatives(JsonNode schema) {
    List<JsonNode> all = new ArrayList<>();
    JsonNode resolved = resolve(schema);
    all.add(resolved);
    resolved.path("oneOf").forEach(one -> all.addAll(alternatives(one)));
    return all;
  }

  /** A word of the schema, or of those of which it takes one; missing if none has it. */
  JsonNode word(JsonNode schema, String name) {
    return alternatives(schema).stream()
        .map(one -> one.path(name))
        .filter(found -> !found.isMissingNode())
        .findFirst()
        .orElse(STRICT.missingNode());
  }

  /** Whether a JSON text is a value of the schema, and one that every reader reads the same. */
  boolean fits(JsonNode schema, String json) {
    JsonNode value;
    try {
      value = STRICT.readTree(json);
    } catch (JacksonException broken) {
      return false;
    }
    return !value.isMissingNode()
        && isSound(value, 0)
        && isInBounds(schema, json, value)
        && !(isInteger(schema) && value.isNumber() && !json.matches("-?[0-9]+"))
        && isValid(schema, value);
  }

  private boolean isValid(JsonNode schema, JsonNode value) {
    try {
      return compiled.computeIfAbsent(schema, this::compile).validate(value).isEmpty();
    } catch (JacksonException tooLarge) {
      // The validator gives up on numbers beyond 64 bits, where a schema has a bound for them.
      return false;
    }
  }

  private Schema compile(JsonNode schema) {
    ObjectNode root = STRICT.createObjectNode();
    root.putArray("allOf").add(schema);
    root.set("components", document.path("components"));
    return SCHEMAS.getSchema(root);
  }

  private static boolean isSound(JsonNode value, int depth) {
    Stream<String> texts =
        value.isString() ? Stream.of(value.asString()) : value.propertyNames().stream();
    return depth <= MAX_DEPTH
        && texts.allMatch(text -> JsonText.flaw(text).isEmpty())
        && value.valueStream().allMatch(below -> isSound(below, depth + 1));
  }

  private boolean isInBounds(JsonNode schema, String json, JsonNode value) {
    JsonNode bytes = word(schema, "x-max-bytes");
    if (bytes.isNumber()) {
      return json.length() <= bytes.asInt();
    }
    JsonNode least = word(schema, "x-minimum");
    JsonNode most = word(schema, "x-maximum");
    if (!value.isString() || (least.isMissingNode() && most.isMissingNode())) {
      return true;
    }
    String text = value.asString();
    return isDuration(schema)
        // Words that may stand for one have no bounds.
        ? Iso.duration(text)
            .map(
                d ->
                    (least.isMissingNode() || d.compareTo(duration(least)) >= 0)
                        && (most.isMissingNode() || d.compareTo(duration(most)) <= 0))
            .orElse(true)
        : Iso.instant(text)
            .filter(at -> least.isMissingNode() || !at.isBefore(instant(least)))
            .filter(at -> most.isMissingNode() || !at.isAfter(instant(most)))
            .isPresent();
  }

  // JSON Schema counts 4.0 as an integer; the document says that whole numbers are not so written.
  private boolean isInteger(JsonNode schema) {
    return word(schema, "type").toString().contains("integer");
  }

  private boolean isDuration(JsonNode schema) {
    return word(schema, "pattern").asString("").contains("P(?=.)");
  }

  private static Duration duration(JsonNode bound) {
    return Duration.parse(bound.asString());
  }

  private static Instant instant(JsonNode bound) {
    String text = bound.asString();
    return text.startsWith("P") ? Instant.now().plus(Duration.parse(text)) : Instant.parse(text);
  }

  /** JSON texts for the schema, each once. */
  Set<String> json(JsonNode schema, Collection<String> seeds) {
    Set<String> values = new LinkedHashSet<>(seeds);
    values.addAll(STRANGE_JSON);
    texts(schema, seeds).forEach(text -> values.add(quote(text)));
    values.addAll(numbers(schema));
    JsonNode bytes = word(schema, "x-max-bytes");
    if (bytes.isNumber()) {
      values.add(quote("x".repeat(bytes.asInt() - 2)));
      values.add(quote("x".repeat(bytes.asInt() - 1)));
    }
    return values;
  }

  /** Numbers at the schema's bounds and just past them. */
  Set<String> numbers(JsonNode schema) {
    Set<String> numbers = new LinkedHashSet<>();
    for (String name : List.of("minimum", "maximum")) {
      JsonNode bound = word(schema, name);
      if (bound.isNumber()) {
        for (String step : List.of("-1", "0", "1", "0.5", "-0.5", "0.0000001")) {
          numbers.add(new BigDecimal(bound.asString()).add(new BigDecimal(step)).toPlainString());
        }
        numbers.add(new BigDecimal(bound.asString()).setScale(1).toPlainString());
      }
    }
    return numbers;
  }

  /** Texts for the schema: strange ones, and those about the bounds of what it allows. */
  Set<String> texts(JsonNode schema, Collection<String> seeds) {
    Set<String> texts = new LinkedHashSet<>(STRANGE_TEXTS);
    word(schema, "enum")
        .forEach(
            one ->
                texts.addAll(List.of(one.asString(""), one.asString("").toUpperCase(Locale.ROOT))));
    texts.addAll(moments(schema));
    for (int i = 0; i < 5; i++) {
      texts.add(randomText());
    }
    seeds.stream()
        .filter(seed -> seed.startsWith("\""))
        .map(seed -> STRICT.readTree(seed).asString())
        .filter(seed -> fits(schema, quote(seed)))
        .forEach(
            seed -> {
              STRANGE_ENDS.forEach(end -> texts.add(seed + end));
              STRANGE_ENDS.forEach(begin -> texts.add(begin + seed));
              texts.addAll(atTheBounds(seed, text -> fits(schema, quote(text))));
            });
    return texts;
  }

  private List<String> moments(JsonNode schema) {
    List<String> moments = new ArrayList<>();
    if (isDuration(schema)) {
      moments.addAll(STRANGE_DURATIONS);
      for (String name : List.of("x-minimum", "x-maximum")) {
        JsonNode bound = word(schema, name);
        if (bound.isString()) {
          moments.add(bound.asString());
          moments.add(duration(bound).plusMillis(1).toString());
          moments.add(duration(bound).minusMillis(1).toString());
        }
      }
    } else if (word(schema, "format").asString("").equals("date-time")) {
      moments.addAll(STRANGE_INSTANTS);
      moments.add(Instant.now().plusSeconds(3_600).toString());
      moments.add(Instant.now().plusSeconds(3_600).toString().toLowerCase(Locale.ROOT));
      for (String name : List.of("x-minimum", "x-maximum")) {
        JsonNode bound = word(schema, name);
        if (bound.isString()) {
          // A bound that moves with the clock is met to a minute, longer than any request takes.
          int seconds = bound.asString().startsWith("P") ? 60 : 1;
          moments.add(instant(bound).plusSeconds(seconds).toString());
          moments.add(instant(bound).minusSeconds(seconds).toString());
          if (seconds == 1) {
            moments.add(bound.asString());
          }
        }
      }
    }
    return moments;
  }

  /** The longest text of those that begin with the seed which fits, the next, and the shortest. */
  static List<String> atTheBounds(String seed, Predicate<String> fits) {
    int longest = 0;
    for (int more = 1; more <= 2_000 && fits.test(seed + "a".repeat(more)); more++) {
      longest = more;
    }
    String shortest = seed;
    while (!shortest.isEmpty() && fits.test(shortest.substring(0, shortest.length() - 1))) {
      shortest = shortest.substring(0, shortest.length() - 1);
    }
    return List.of(seed + "a".repeat(longest), seed + "a".repeat(longest + 1), shortest);
  }

  private String randomText() {
    return IntStream.range(0, 1 + random.nextInt(20))
        .map(_ -> random.nextInt(4) == 0 ? random.nextInt(0x11_0000) : 1 + random.nextInt(0x7f))
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  /** A text in JSON, half surrogate pairs and all. */
  static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20 || Character.isSurrogate(c)) {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
