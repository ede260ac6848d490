package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.MillpondProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A start without the database that the settings name. */
class NoDatabaseE2E {

  @Test
  void itSaysSoAndEndsSoon() throws IOException {
    String url = "jdbc:postgresql://127.0.0.1:" + MillpondProcess.freePort() + "/nobody";
    try (MillpondProcess service =
        new MillpondProcess("no-database", Map.of("spring.datasource.url", url))) {
      service.launch();
      assertThat(service.awaitExit(Duration.ofSeconds(30))).isNotZero();
      assertThat(Files.readString(service.log().toPath()))
          .contains("APPLICATION FAILED TO START", url)
          .doesNotContain("\tat ");
    }
  }
}
