package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.ApiClient.Answer;
import dev.millpond.testing.HandlerJar;
import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The README's handler, compiled as it stands there and put on the loader path. */
@Timeout(120)
class OwnHandlerE2E {

  @TempDir private Path directory;

  @Test
  void aHandlerInAJarOnTheLoaderPathIsFoundAndItsPayloadChecked() throws IOException {
    String handler =
        HandlerJar.option(
            directory, "Thumbnails", readmesHandler().replace("public record", "record"));
    try (MillpondProcess service =
        new MillpondProcess(
                "own-handler",
                Map.of(),
                MillpondProcess.jar(handler, "-XX:TieredStopAtLevel=1", "-Xmx512m"))
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
}
