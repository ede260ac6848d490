package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProblemTest {

  @ParameterizedTest
  @EnumSource
  void eachProblemExplainsItself(Problem problem) {
    assertThat(problem.slug()).matches("[a-z]+(-[a-z]+)*");
    assertThat(Problem.of(problem.slug())).contains(problem);
    assertThat(problem.statuses())
        .startsWith(problem.status())
        .doesNotHaveDuplicates()
        .allSatisfy(
            status -> {
              assertThat(status).isBetween(400, 599);
              assertThat(ProblemExample.of(problem, status).status()).isEqualTo(status);
              assertThat(ProblemExample.of(problem, status).type()).isEqualTo(problem.type());
            });
    assertThat(problem.title()).isNotBlank().doesNotEndWith(".");
    assertThat(problem.meaning()).endsWith(".");
    assertThat(problem.remedy()).endsWith(".");
    assertThat(ProblemExample.of(problem).type()).isEqualTo(problem.type());
  }

  @Test
  void titlesAreNotGivenTwice() {
    assertThat(Arrays.stream(Problem.values()).map(Problem::title)).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 405, 406, 413, 415, 500, 503, 414, 431, 501, 505, 599})
  void aBareStatusIsADocumentOfThatStatus(int status) {
    assertThat(ProblemDocument.ofStatus(status).status()).isEqualTo(status);
    assertThat(ProblemDocument.ofStatus(status).json())
        .containsKeys("type", "title", "status", "detail");
  }

  @Test
  void retryAfterIsRoundedUpToWholeSeconds() {
    ProblemDocument document =
        ProblemDocument.of(Problem.QUEUE_FULL, "Full.").retryAfter(Duration.ofMillis(1_001));
    assertThat(document.headers()).containsEntry("Retry-After", "2");
    assertThat(document.extensions()).containsEntry("retryAfterMs", 1_001L);
  }

  @Test
  void theMembersOfTheStandardComeFirst() {
    ProblemDocument document =
        ProblemDocument.of(Problem.QUEUE_FULL, "Full.").with("cap", 1).with("abc", List.of());
    assertThat(document.json().keySet())
        .containsExactly("type", "title", "status", "detail", "abc", "cap");
  }
}
