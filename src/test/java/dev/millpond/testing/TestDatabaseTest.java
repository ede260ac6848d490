package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TestDatabaseTest {

  @Test
  void whereADockerEngineAnswersItsImageIsUsed() {
    assertThat(TestDatabase.choose(true)).isEqualTo(TestDatabase.CONTAINER);
  }

  @Test
  void whereNoneAnswersTheEmbeddedServerIsUsed() {
    assertThat(TestDatabase.choose(false)).isEqualTo(TestDatabase.EMBEDDED);
  }

  @Test
  void theAnnouncementNamesTheBranchAndTheReason() {
    assertThat(TestDatabase.EMBEDDED.announcement())
        .isEqualTo(
            "Test database: EMBEDDED, because no Docker engine answers, so the product's own"
                + " embedded server runs.");
  }
}
