package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The OpenAPI document as a measure: an answer that it does not describe fails the test that got
 * it. Stricter than a client has to be: a member that no schema names is a failure too.
 */
final class Described {

  /** What any HTTP answer may have. */
  private static final Set<String> COMMON_HEADERS =
      Set.of(
          "cache-control",
          "connection",
          "content-length",
          "content-type",
          "date",
          "keep-alive",
          "transfer-encoding");

  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private final JsonNode document;

  /** The components, no object of which may have members beyond those it names. */
  private final JsonNode components;

  private final Map<JsonNode, Schema> compiled = new ConcurrentHashMap<>();

  Described(ApiClient api) throws IOException {
    document = api.get("/v3/api-docs").json();
    components = document.path("components").deepCopy();
    close(components);
  }

  JsonNode document() {
    return document;
  }

  private static void close(JsonNode node) {
    if (node instanceof ObjectNode object
        && object.has("properties")
        && !object.has("additionalProperties")) {
      object.put("additionalProperties", false);
    }
    node.forEach(Described::close);
  }

  /** Checks that an operation's answer is one that the document tells of. */
  void check(String method, String path, Answer answer) {
    JsonNode operation = operation(method, path);
    if (operation.isMissingNode()) {
      assertThat(answer.status()).as("%s %s is not described", method, path).isIn(404, 405);
      return;
    }
    String what = method + " " + path + " -> " + answer.status() + " " + answer.body();
    JsonNode response =
        resolve(operation.path("responses").path(Integer.toString(answer.status())));
    assertThat(response.isMissingNode()).as("undescribed status: %s", what).isFalse();
    checkHeaders(what, response, answer);
    checkBody(what, response.path("content"), answer);
  }

  private void checkHeaders(String what, JsonNode response, Answer answer) {
    Set<String> described = new TreeSet<>(COMMON_HEADERS);
    response
        .path("headers")
        .forEachEntry(
            (name, header) -> {
              described.add(name.toLowerCase(Locale.ROOT));
              JsonNode schema = resolve(header).path("schema");
              answer
                  .headers()
                  .allValues(name)
                  .forEach(value -> validate(what + " " + name, schema, typed(schema, value)));
            });
    assertThat(described).as("headers of %s", what).containsAll(answer.headers().map().keySet());
  }

  private static JsonNode typed(JsonNode schema, String value) {
    return schema.path("type").asString("").equals("integer")
        ? ApiClient.JSON.readTree(value)
        : ApiClient.JSON.getNodeFactory().stringNode(value);
  }

  private void checkBody(String what, JsonNode content, Answer answer) {
    if (content.isMissingNode()) {
      assertThat(answer.body()).as(what).isEmpty();
      return;
    }
    String mediaType = answer.header("Content-Type").replaceFirst(";.*", "");
    JsonNode described = content.path(mediaType);
    assertThat(described.isMissingNode()).as("%s of %s", mediaType, what).isFalse();
    boolean isJson = !mediaType.equals("text/event-stream");
    validate(
        what,
        described.path("schema"),
        isJson ? answer.json() : ApiClient.JSON.getNodeFactory().stringNode(answer.body()));
    if (mediaType.equals("application/problem+json")) {
      assertThat(described.path("examples").has(answer.problem()))
          .as("undescribed problem: %s", what)
          .isTrue();
    }
  }

  /** Checks a value against a schema of the document. */
  void validate(String what, JsonNode schema, JsonNode value) {
    assertThat(compiled.computeIfAbsent(schema, this::compile).validate(value)).as(what).isEmpty();
  }

  private Schema compile(JsonNode schema) {
    ObjectNode root = ApiClient.JSON.createObjectNode();
    root.putArray("allOf").add(schema);
    root.set("components", components);
    return SCHEMAS.getSchema(root);
  }

  /** The operation that a request meets; missing if none. */
  JsonNode operation(String method, String path) {
    String plain = path.replaceFirst("\\?.*", "");
    return document.path("paths").propertyNames().stream()
        .filter(template -> plain.matches(template.replaceAll("\\{[a-z]+}", "[^/]+")))
        .min(Comparator.comparing(template -> template.contains("{")))
        .map(template -> document.path("paths").path(template))
        .map(item -> item.path(method.toLowerCase(Locale.ROOT)))
        .orElse(ApiClient.JSON.missingNode());
  }

  /** What a reference leads to, or the node itself. */
  JsonNode resolve(JsonNode node) {
    String reference = node.path("$ref").asString("");
    return reference.isEmpty() ? node : document.at(reference.substring(1));
  }
}
