package dev.millpond.postgres;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ArchiveTest {

  @Test
  void aPlatformWithoutProgramsIsNamedTogetherWithTheWayOut() {
    assertThatThrownBy(() -> Archive.of("Plan 9", "riscv64"))
        .isInstanceOf(StartFailure.class)
        .hasMessageContaining("no PostgreSQL for Plan 9 on riscv64")
        .hasMessageContaining("spring.datasource.url");
  }
}
