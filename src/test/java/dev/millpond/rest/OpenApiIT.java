package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;
import tools.jackson.databind.JsonNode;

/** The OpenAPI document says what the service does, no more and no less. */
class OpenApiIT extends WholeApi {

  @Autowired
  @Qualifier("requestMappingHandlerMapping")
  private RequestMappingHandlerMapping mappings;

  /** The controllers' methods by verb and path. */
  private Map<String, HandlerMethod> operations() {
    Map<String, HandlerMethod> operations = new TreeMap<>();
    mappings
        .getHandlerMethods()
        .forEach(
            (mapping, method) ->
                mapping.getPatternValues().stream()
                    .filter(path -> path.startsWith("/v1/"))
                    .forEach(
                        path ->
                            mapping
                                .getMethodsCondition()
                                .getMethods()
                                .forEach(verb -> operations.put(verb + " " + path, method))));
    return operations;
  }

  @Test
  void theControllersAndTheDocumentHaveTheSameOperations() {
    assertThat(described.document().path("openapi").asString()).startsWith("3.1.");
    Set<String> documented = new TreeSet<>();
    Set<String> ids = new TreeSet<>();
    described
        .document()
        .path("paths")
        .forEachEntry(
            (path, item) ->
                item.forEachEntry(
                    (verb, operation) -> {
                      documented.add(verb.toUpperCase(Locale.ROOT) + " " + path);
                      assertThat(operation.path("summary").asString("")).as(path).isNotBlank();
                      assertThat(operation.path("description").asString("")).as(path).isNotBlank();
                      assertThat(ids.add(operation.path("operationId").asString())).isTrue();
                      assertThat(operation.path("tags").path(0).asString())
                          .isIn("Jobs", "Queues", "Schedules", "Workers");
                    }));
    assertThat(documented).isEqualTo(operations().keySet());
    assertThat(ids)
        .contains("submitJobToQueue", "getJob", "setQueue")
        .noneMatch(id -> id.contains("_"));
  }

  @Test
  void whatAnOperationMayAnswerIsWhatItIsMarkedWith() {
    operations()
        .forEach(
            (name, method) -> {
              Answers marked = method.getMethodAnnotation(Answers.class);
              Set<String> expected = new TreeSet<>();
              Stream.concat(
                      OpenApiText.EVERYWHERE.stream(),
                      marked == null ? Stream.<Problem>empty() : Stream.of(marked.value()))
                  .forEach(
                      problem ->
                          problem
                              .statuses()
                              .forEach(status -> expected.add(status + " " + problem.slug())));
              String[] verbAndPath = name.split(" ", 2);
              assertThat(problems(described.operation(verbAndPath[0], verbAndPath[1])))
                  .as(name)
                  .isEqualTo(expected);
            });
  }

  private Set<String> problems(JsonNode operation) {
    Set<String> problems = new TreeSet<>();
    operation
        .path("responses")
        .forEachEntry(
            (status, response) ->
                response
                    .path("content")
                    .path("application/problem+json")
                    .path("examples")
                    .forEachEntry(
                        (slug, reference) -> {
                          JsonNode example = described.resolve(reference).path("value");
                          assertThat(example.path("status").asString()).isEqualTo(status);
                          problems.add(status + " " + slug);
                        }));
    return problems;
  }

  /** Generated clients would send it, as if somebody had asked for it. */
  @Test
  void noMemberOfABodyHasADefault() {
    assertThat(described.document().path("components").path("schemas").findValues("default"))
        .isEmpty();
  }

  /** As generated clients ask, of which some know no answer with a body but problems. */
  @Test
  void whoAcceptsWhatTheDocumentNamesIsNeverToldThatThereIsNoSuchForm() throws IOException {
    for (String operation : operations().keySet()) {
      String[] verbAndPath = operation.split(" ", 2);
      Set<String> accepted = new TreeSet<>();
      described
          .operation(verbAndPath[0], verbAndPath[1])
          .path("responses")
          .forEach(
              answer -> accepted.addAll(described.resolve(answer).path("content").propertyNames()));
      assertThat(accepted).as(operation).contains("application/problem+json");
      String path =
          verbAndPath[1]
              .replaceAll("\\{(queue|schedule)}", queue)
              .replace("{id}", UUID.randomUUID().toString());
      Answer answer = send(verbAndPath[0], path, "Accept", String.join(",", accepted));
      assertThat(answer.status()).as("%s %s", operation, accepted).isNotEqualTo(406);
    }
  }

  @Test
  void eachReferenceLeadsSomewhereAndEachExampleFitsItsSchema() {
    follow(described.document());
  }

  private void follow(JsonNode node) {
    if (node.has("$ref")) {
      assertThat(described.resolve(node).isMissingNode()).as(node.toString()).isFalse();
    }
    if (node.has("schema") && node.has("examples")) {
      node.path("examples")
          .forEachEntry(
              (name, example) ->
                  described.validate(
                      "example " + name,
                      node.path("schema"),
                      described.resolve(example).path("value")));
    }
    if (node.has("schema") && node.has("example") && node.has("in")) {
      described.validate(node.toString(), node.path("schema"), node.path("example"));
    }
    node.forEach(this::follow);
  }

  @Test
  void eachExampleOfARequestIsAccepted() throws IOException {
    // The only slot of the queue is taken, so that no example calls anybody.
    put("/v1/queues/" + queue, "{\"concurrency\": 1, \"workers\": \"both\"}");
    String first = submit(LONG);
    await(first, "running");
    for (String path : described.document().path("paths").propertyNames()) {
      for (String verb : described.document().path("paths").path(path).propertyNames()) {
        JsonNode operation = described.document().path("paths").path(path).path(verb);
        JsonNode examples =
            described
                .resolve(operation.path("requestBody"))
                .path("content")
                .path("application/json")
                .path("examples");
        if (path.contains("{queue}")
            && !operation.path("operationId").asString().equals("setQueue")) {
          sendEach("POST", path.replace("{queue}", queue), examples);
        } else if (path.contains("{queue}")) {
          sendEach("PUT", path.replace("{queue}", queue + "-set"), examples);
        }
      }
    }
    for (JsonNode job : api.jobs("queue=" + queue)) {
      api.cancel(job.path("id").asString());
    }
    await(first, "cancelled");
  }

  private void sendEach(String method, String path, JsonNode examples) throws IOException {
    for (String name : examples.propertyNames()) {
      String body = described.resolve(examples.path(name)).path("value").toString();
      Answer answer = method.equals("PUT") ? put(path, body) : post(path, body);
      assertThat(answer.status()).as("%s %s", name, answer.body()).isIn(200, 201, 202, 207);
    }
  }

  @Test
  void whatIsNotBuiltIsNotThere() throws IOException {
    assertThat(get("/v1/settings").status()).isEqualTo(404);
    assertThat(get("/v1/settings").problem()).isEqualTo("not-found");
  }
}
