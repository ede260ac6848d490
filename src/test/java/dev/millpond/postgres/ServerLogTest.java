package dev.millpond.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerLogTest {

  @TempDir Path directory;

  @Test
  void isCutWhenItOutgrowsItsLimitWhileTheServerGoesOnAppending() throws Exception {
    Path file = directory.resolve("postgres.log");
    ServerLog log = new ServerLog(file, 8);
    try (OutputStream server =
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      server.write("12345678".getBytes(StandardCharsets.UTF_8));
      log.bound();
      assertThat(file).hasContent("12345678");

      server.write("9".getBytes(StandardCharsets.UTF_8));
      log.bound();
      assertThat(file).isEmptyFile();
      assertThat(directory.resolve("postgres.log.1")).hasContent("123456789");

      server.write("more".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(file).hasContent("more");
  }

  @Test
  void showsItsLastLinesOfThisStartOnly() throws Exception {
    Path file = directory.resolve("postgres.log");
    ServerLog log = new ServerLog(file, 1_000_000);
    assertThat(log.tailFrom(0)).isEmpty();
    Files.writeString(file, "earlier\n");
    long start = log.size();
    assertThat(log.tailFrom(start)).isEmpty();
    Files.writeString(file, "now\n".repeat(3_000) + "last\n", StandardOpenOption.APPEND);

    assertThat(log.tailFrom(start).lines()).hasSize(20).contains("now").last().isEqualTo("last");
  }
}
