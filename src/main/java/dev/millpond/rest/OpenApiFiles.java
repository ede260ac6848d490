package dev.millpond.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.swagger.v3.core.util.Json31;
import io.swagger.v3.oas.models.OpenAPI;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Reads the written part of the OpenAPI document, {@code openapi/*.yaml}. */
final class OpenApiFiles {

  private static final List<String> COMPONENTS = List.of("components", "schemas", "examples");

  // Not the library's own, which leaves out nulls: an example shows them.
  private static final ObjectMapper PLAIN = new ObjectMapper();

  private OpenApiFiles() {}

  /** Tags, paths and components as they are written. */
  static OpenAPI read() {
    try {
      ObjectNode document = tree("operations");
      ObjectNode components = document.putObject("components");
      for (String file : COMPONENTS) {
        components.setAll((ObjectNode) tree(file).path("components"));
      }
      OpenAPI text = Json31.mapper().treeToValue(document, OpenAPI.class);
      JsonNode examples = components.path("examples");
      text.getComponents()
          .getExamples()
          .forEach((name, example) -> example.setValue(examples.path(name).path("value")));
      return text;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("openapi/*.yaml is no OpenAPI document", e);
    }
  }

  private static ObjectNode tree(String file) {
    String path = "/openapi/" + file + ".yaml";
    try (InputStream in =
        Objects.requireNonNull(OpenApiFiles.class.getResourceAsStream(path), path)) {
      Object yaml = new Yaml(new SafeConstructor(new LoaderOptions())).load(in);
      return PLAIN.valueToTree(yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
