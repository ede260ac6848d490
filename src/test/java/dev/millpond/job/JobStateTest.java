package dev.millpond.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JobStateTest {

  @ParameterizedTest
  @EnumSource
  void aStateIsReadAsItIsWritten(JobState state) {
    assertThat(JobState.of(state.label())).isEqualTo(state);
  }

  @ParameterizedTest
  @EnumSource
  void everyStateLeadsToAFinalOne(JobState state) {
    EnumSet<JobState> reached = EnumSet.of(state);
    int before;
    do {
      before = reached.size();
      for (JobState from : EnumSet.copyOf(reached)) {
        Arrays.stream(JobState.values()).filter(from::mayBecome).forEach(reached::add);
      }
    } while (reached.size() > before);
    assertThat(reached).anyMatch(JobState::isFinal);
  }

  @Test
  void aFinalStateIsLeftByARedriveOnlyWhichMayBeSpreadOverSomeTime() {
    assertThat(JobState.values())
        .filteredOn(JobState::isFinal)
        .allSatisfy(
            state ->
                assertThat(JobState.values())
                    .filteredOn(state::mayBecome)
                    .containsExactlyInAnyOrder(
                        JobState.QUEUED, JobState.SCHEDULED, JobState.RETRYING));
  }

  @Test
  void aCancellingJobNeverRetries() {
    assertThat(JobState.CANCELLING.mayBecome(JobState.RETRYING)).isFalse();
    assertThat(JobState.CANCELLING.mayBecome(JobState.SUCCEEDED)).isTrue();
  }
}
