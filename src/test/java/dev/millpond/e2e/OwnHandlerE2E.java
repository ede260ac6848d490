package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The README's handler, compiled as it stands there and put on the loader path. */
@Timeout(120)
class OwnHandlerE2E {

  private static final String IMPORTS =
      """
      package com.example;

      import dev.millpond.handler.JobContext;
      import dev.millpond.handler.JobHandler;
      import jakarta.validation.constraints.Max;
      import jakarta.validation.constraints.Min;
      import jakarta.validation.constraints.NotBlank;
      import java.util.Map;
      import org.springframework.boot.autoconfigure.AutoConfiguration;
      import org.springframework.context.annotation.Bean;

      """;

  @TempDir private Path directory;

  @Test
  void aHandlerInAJarOnTheLoaderPathIsFoundAndItsPayloadChecked() throws IOException {
    Path jar = jar(compile(IMPORTS + readmesHandler().replace("public record", "record")));
    try (MillpondProcess service =
        new MillpondProcess(
                "own-handler",
                Map.of(),
                MillpondProcess.jar(
                    "-Dloader.path=" + jar.getParent(), "-XX:TieredStopAtLevel=1", "-Xmx512m"))
            .start()) {
      ApiClient api = service.api();
      Answer bad = api.post("/v1/jobs", job("{\"image\": \"a.png\", \"width\": 5}"));
      assertThat(bad.status()).isEqualTo(400);
      assertThat(bad.json().path("errors").path(0).path("pointer").asString())
          .isEqualTo("/payload/width");
      Answer good = api.post("/v1/jobs", job("{\"image\": \"a.png\", \"width\": 64}"));
      assertThat(good.status()).as(good.body()).isEqualTo(202);
      JsonNode done =
          api.awaitState(good.json().path("id").asString(), "succeeded", Duration.ofSeconds(20));
      assertThat(done.path("result").path("bytes").asInt()).isEqualTo(4711);
    }
  }

  private static String job(String payload) {
    return "{\"type\": \"thumbnail\", \"payload\": " + payload + "}";
  }

  private static String readmesHandler() throws IOException {
    Matcher block =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("README.md")));
    assertThat(block.find()).isTrue();
    return block.group(1);
  }

  private Path compile(String source) throws IOException {
    Path classes = Files.createDirectories(directory.resolve("classes"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                messages,
                null,
                null,
                List.of("-d", classes.toString(), "-proc:none"),
                null,
                List.of(new Source(source)))
            .call();
    assertThat(compiled).as(messages.toString()).isTrue();
    Path imports =
        classes.resolve(
            "META-INF/spring/org.springframework.boot.autoconfigure.AutoConfiguration.imports");
    Files.createDirectories(imports.resolveSibling("."));
    Files.writeString(imports, "com.example.Thumbnails\n");
    return classes;
  }

  private Path jar(Path classes) throws IOException {
    Path jar = Files.createDirectories(directory.resolve("handlers")).resolve("thumbnails.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
        Files.copy(file, out);
      }
    }
    return jar;
  }

  private static final class Source extends SimpleJavaFileObject {

    private final String text;

    Source(String text) {
      super(URI.create("string:///com/example/Thumbnails.java"), JavaFileObject.Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
