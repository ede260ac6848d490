package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Handlers as somebody else would write them, compiled and packed for the loader path. */
public final class HandlerJar {

  private static final String HEAD =
      """
      package com.example;

      import dev.millpond.handler.JobContext;
      import dev.millpond.handler.JobHandler;
      import jakarta.validation.constraints.Max;
      import jakarta.validation.constraints.Min;
      import jakarta.validation.constraints.NotBlank;
      import java.time.Duration;
      import java.util.Map;
      import java.util.concurrent.locks.LockSupport;
      import org.springframework.boot.autoconfigure.AutoConfiguration;
      import org.springframework.context.annotation.Bean;

      """;

  private HandlerJar() {}

  /**
   * Makes a jar in a directory of its own.
   *
   * @param configuration the name of the public class that declares the handlers
   * @param source without its package and imports
   * @return the option of {@code java} that puts it on the loader path
   */
  public static String option(Path directory, String configuration, String source)
      throws IOException {
    Path classes = Files.createDirectories(directory.resolve("classes"));
    compile(classes, configuration, HEAD + source);
    Path imports =
        classes.resolve(
            "META-INF/spring/org.springframework.boot.autoconfigure.AutoConfiguration.imports");
    Files.createDirectories(imports.resolveSibling("."));
    Files.writeString(imports, "com.example." + configuration + "\n");
    Path jars = Files.createDirectories(directory.resolve("handlers"));
    pack(classes, jars.resolve("handlers.jar"));
    return "-Dloader.path=" + jars.toAbsolutePath();
  }

  private static void compile(Path classes, String name, String source) {
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
                List.of(new Source(name, source)))
            .call();
    assertThat(compiled).as(messages.toString()).isTrue();
  }

  private static void pack(Path classes, Path jar) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
        Files.copy(file, out);
      }
    }
  }

  private static final class Source extends SimpleJavaFileObject {

    private final String text;

    Source(String name, String text) {
      super(URI.create("string:///com/example/" + name + ".java"), JavaFileObject.Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
