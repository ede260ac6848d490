package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import dev.millpond.testing.Program;
import dev.millpond.testing.Program.Run;
import dev.millpond.testing.SharedMillpond;
import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.node.ObjectNode;

/** A linter that knows nothing of the service has nothing to say against its OpenAPI document. */
@Timeout(180)
@ExtendWith(SharedMillpond.class)
class LintE2E {

  /** With all rules that it recommends; a warning is as bad as an error. */
  private static final List<String> LINT =
      List.of(
          "env",
          "REDOCLY_TELEMETRY=off",
          "REDOCLY_SUPPRESS_UPDATE_NOTICE=true",
          "npx",
          "--yes",
          "@redocly/cli@2.77.0",
          "lint",
          "--extends=recommended-strict",
          "--format=stylish",
          "openapi.json",
          "unlicensed.json");

  private static final Duration LIMIT = Duration.ofSeconds(150);

  /** Or a linter that reads nothing would find nothing. */
  @Test
  void theDocumentHasNoFlawWhileACopyHasTheOneThatWasMade(ApiClient api) throws IOException {
    Skipped.unless(Program.exists("npx"), "no npx on this machine, so the document was not linted");
    Path directory = Files.createDirectories(Path.of("target", "lint"));
    ObjectNode document = (ObjectNode) api.get("/v3/api-docs").json();
    Files.writeString(directory.resolve("openapi.json"), document.toString());
    document.withObject("/info").remove("license");
    Files.writeString(directory.resolve("unlicensed.json"), document.toString());
    Run run = Program.run(directory, LIMIT, LINT);
    assertThat(run.output())
        .contains("\nopenapi.json: validated", "\nunlicensed.json: validated")
        .contains("info-license", "Validation failed with 1 error.\n");
  }
}
