package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.springframework.util.FileSystemUtils;

/**
 * The service unpacked from its jar, beside a cache of the classes that its start loads: how the
 * README starts it quickly. Made once for a jar, and kept in {@code target/unpacked}.
 */
public final class Unpacked {

  private static final Path DIRECTORY = Path.of("target", "unpacked").toAbsolutePath();
  private static final Path CACHE = DIRECTORY.resolve("millpond.aot");

  /** To unpack, and to write the cache when the service that was looked at ends. */
  private static final Duration MAKING = Duration.ofMinutes(2);

  private Unpacked() {}

  /** The arguments of a {@code java} that runs it. */
  public static synchronized List<String> program(String... options) {
    Path packed = MillpondProcess.packed();
    Path jar = DIRECTORY.resolve(packed.getFileName());
    if (CACHE.toFile().lastModified() <= packed.toFile().lastModified()) {
      make(packed, jar);
    }
    List<String> program = new ArrayList<>(List.of(options));
    Collections.addAll(program, "-XX:AOTCache=" + CACHE, "-jar", jar.toString());
    return program;
  }

  private static void make(Path packed, Path jar) {
    try {
      FileSystemUtils.deleteRecursively(DIRECTORY);
      Process unpack =
          new ProcessBuilder(
                  MillpondProcess.java(),
                  "-Djarmode=tools",
                  "-jar",
                  packed.toString(),
                  "extract",
                  "--destination",
                  DIRECTORY.toString())
              .redirectErrorStream(true)
              .redirectOutput(new File("target", "unpacked.log"))
              .start();
      assertThat(unpack.onExit().orTimeout(MAKING.toSeconds(), TimeUnit.SECONDS).join().exitValue())
          .isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try (MillpondProcess model =
        new MillpondProcess(
            "unpacked", Map.of(), List.of("-XX:AOTCacheOutput=" + CACHE, "-jar", jar.toString()))) {
      model.start().term();
      model.awaitExit(MAKING);
    }
    assertThat(CACHE).as("see target/e2e/unpacked/service.log").exists();
  }
}
