package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.MillpondProcess;
import dev.millpond.testing.Unpacked;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** The service unpacked beside a cache of its classes, as the README tells. */
@Timeout(180)
class QuickStartE2E {

  /** Ends at once if the cache is not one of these very classes. */
  private static final String CACHE_REQUIRED = "-XX:AOTMode=on";

  @Test
  void anUnpackedServiceStartsFromItsCacheAndWorks() throws IOException {
    try (MillpondProcess service =
        new MillpondProcess("quick-start", Map.of(), Unpacked.program(CACHE_REQUIRED)).start()) {
      var api = service.api();
      String id = api.submit("quick", "{\"type\": \"demo.noop\"}");
      JsonNode done = api.awaitState(id, "succeeded", Duration.ofSeconds(20));
      assertThat(done.path("attempt").asInt()).isEqualTo(1);
    }
  }
}
