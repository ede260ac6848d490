package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.faults.Change.Kind;
import dev.millpond.faults.Event.Acknowledged;
import dev.millpond.faults.Event.Effect;
import dev.millpond.faults.Event.Fault;
import dev.millpond.faults.Event.Refused;
import dev.millpond.faults.Event.Sampled;
import dev.millpond.faults.Event.Seen;
import dev.millpond.faults.Event.Submitted;
import dev.millpond.faults.Event.Unknown;
import dev.millpond.job.Concurrency;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A history in which nothing is wrong has no count, and each thing that is wrong has its own. */
class CheckerTest {

  private static final UUID JOB = new UUID(0, 1);
  private static final UUID OTHER = new UUID(0, 2);
  private static final UUID TOKEN = new UUID(1, 1);
  private static final UUID NEWER = new UUID(1, 2);
  private static final int CAP = 100;
  private static final double RECOVERY = 2.5;

  private final History history = new History();
  private final List<Change> changes = new ArrayList<>();
  private final List<JobEnd> ends = new ArrayList<>();

  /** One job, submitted at 0, run from 1 to 2, by node-0. */
  @BeforeEach
  void aJobThatIsDone() {
    history.add(new Submitted(0, "key"));
    history.add(new Acknowledged(0.1, "key", JOB));
    history.add(new Seen(0.2, "client", JOB, true, 200, "queued", 1));
    granted(1, 1, TOKEN, "node-0");
    history.add(new Effect(1.1, 1.9, JOB, 1, 7));
    ended(2, 1, TOKEN, false);
    change(2, Kind.FINAL, 1, TOKEN, "node-0", null, false);
    history.add(new Seen(2.1, "client", JOB, false, 200, "succeeded", 3));
    ends.add(new JobEnd(JOB, "key", "succeeded", 1, 5, 0, 7, null));
    history.add(new Sampled(2.2, 0, 0, 0));
  }

  private void granted(double at, int attempt, UUID token, String worker) {
    change(at, Kind.GRANTED, attempt, token, worker, null, false);
  }

  private void ended(double at, int attempt, UUID token, boolean overdue) {
    change(at, Kind.ENDED, attempt, token, "node-0", null, overdue);
  }

  private void change(
      double at,
      Kind kind,
      int attempt,
      @Nullable UUID token,
      String worker,
      @Nullable String error,
      boolean overdue) {
    changes.add(
        new Change(
            changes.size(),
            at,
            kind,
            JOB,
            attempt,
            token,
            worker,
            error,
            overdue,
            (long) (at * 10)));
  }

  private List<String> broken() {
    return new Checker(history, changes, ends, CAP, RECOVERY)
        .check().stream().filter(Count::isBroken).map(Count::name).toList();
  }

  @Test
  void nothingIsWrong() {
    assertThat(broken()).isEmpty();
  }

  @Test
  void anAcknowledgedJobThatIsNotThere() {
    history.add(new Submitted(0, "lost"));
    history.add(new Acknowledged(0.1, "lost", OTHER));
    assertThat(broken()).containsExactly("I1");
  }

  @Test
  void anAcknowledgedJobThatIsNotFinal() {
    ends.set(0, new JobEnd(JOB, "key", null, 1, 5, 0, null, null));
    assertThat(broken()).containsExactly("I1", "I1b");
  }

  @Test
  void aJobThatRanAndNobodySubmitted() {
    history.add(new Effect(1, 2.0, OTHER, 1, 8));
    assertThat(broken()).containsExactly("I2");
  }

  @Test
  void aKeyWithTwoJobs() {
    ends.add(new JobEnd(OTHER, "key", "succeeded", 1, 5, 0, null, null));
    assertThat(broken()).containsExactly("I4");
  }

  @Test
  void aJobThatBecameFinalTwice() {
    change(3, Kind.FINAL, 1, TOKEN, "node-0", null, false);
    assertThat(broken()).containsExactly("I5");
  }

  @Test
  void aJobThatWasSentBackMayEndAgain() {
    change(3, Kind.REOPENED, 1, null, "node-0", null, false);
    granted(4, 2, NEWER, "node-0");
    change(5, Kind.FINAL, 2, NEWER, "node-0", null, false);
    ends.set(0, new JobEnd(JOB, "key", "succeeded", 2, 5, 0, null, null));
    assertThat(broken()).isEmpty();
  }

  @Test
  void aSettlementByAnOldToken() {
    changes.clear();
    granted(1, 1, TOKEN, "node-0");
    ended(3, 1, TOKEN, true);
    change(3, Kind.AGAIN, 1, null, "node-0", "worker-lost", false);
    granted(4, 2, NEWER, "node-1");
    change(5, Kind.FINAL, 2, TOKEN, "node-0", null, false);
    assertThat(broken()).contains("I6");
  }

  @Test
  void aResultOfARunThatWasOvertaken() {
    ends.set(0, new JobEnd(JOB, "key", "succeeded", 2, 5, 0, 7, null));
    assertThat(broken()).containsExactly("I6");
  }

  @Test
  void twoRunsAtOnce() {
    history.add(new Effect(1.5, 1.8, JOB, 1, 8));
    assertThat(broken()).containsExactly("I7");
  }

  /** The job's lease ended at 1.4 for want of its worker, and it ran again from 1.5 elsewhere. */
  private void runAgainElsewhere(boolean overdue) {
    changes.clear();
    granted(1, 1, TOKEN, "node-0");
    ended(1.4, 1, TOKEN, overdue);
    change(1.4, Kind.AGAIN, 1, null, "node-0", "worker-lost", false);
    granted(1.5, 2, NEWER, "node-1");
    change(1.8, Kind.FINAL, 2, NEWER, "node-1", null, false);
    history.add(new Effect(1.5, 1.8, JOB, 2, 8));
    ends.set(0, new JobEnd(JOB, "key", "succeeded", 2, 5, 0, 8, null));
  }

  @Test
  void twoRunsAtOnceAfterTheLeaseWasOver() {
    runAgainElsewhere(true);
    assertThat(broken()).isEmpty();
  }

  @Test
  void aRunThatEndedWithItsProcess() {
    history.add(new Fault(1.3, 1.4, "killed", "node-0"));
    runAgainElsewhere(false);
    assertThat(broken()).isEmpty();
  }

  @Test
  void aLeaseThatWasTakenFromALivingWorker() {
    changes.clear();
    granted(1, 1, TOKEN, "node-0");
    ended(2.5, 1, TOKEN, false);
    change(2.5, Kind.AGAIN, 1, null, "node-0", "worker-lost", false);
    assertThat(broken()).containsExactly("I7");
  }

  @Test
  void moreFailedAttemptsThanAllowed() {
    for (int attempt = 1; attempt <= 6; attempt++) {
      change(3, Kind.AGAIN, attempt, TOKEN, "node-0", "handler-failed", false);
    }
    assertThat(broken()).containsExactly("I8");
  }

  /** Another job with the same key of limit 1, submitted and run at these times. */
  private void anotherOfItsKey(double submitted, long number, double start, double end) {
    Concurrency alone = new Concurrency("k", 1);
    ends.set(0, new JobEnd(JOB, "key", "succeeded", 1, 5, 0, 7, alone));
    ends.add(new JobEnd(OTHER, "other", "succeeded", 1, 5, 0, 8, alone));
    history.add(new Submitted(submitted, "other"));
    history.add(new Acknowledged(submitted + 0.1, "other", OTHER));
    changes.add(ofAnother(number, start, Kind.GRANTED));
    changes.add(ofAnother(number + 1, end, Kind.FINAL));
    history.add(new Effect(start, end, OTHER, 1, 8));
  }

  private static Change ofAnother(long number, double at, Kind kind) {
    return new Change(number, at, kind, OTHER, 1, NEWER, "node-0", null, false, number);
  }

  @Test
  void whoPassesAnotherOfItsKey() {
    anotherOfItsKey(0.2, -2, 0.5, 0.9);
    assertThat(broken()).containsExactly("I9");
  }

  @Test
  void whoComesWhileAnotherOfItsKeyIsSubmittedMayBeFirst() {
    anotherOfItsKey(0, -2, 0.5, 0.9);
    assertThat(broken()).isEmpty();
  }

  @Test
  void whoComesAfterAnotherOfItsKey() {
    anotherOfItsKey(0.2, 100, 2.1, 2.5);
    assertThat(broken()).isEmpty();
  }

  @Test
  void twoOfAKeyAtOnce() {
    anotherOfItsKey(0, 100, 1.5, 2.5);
    assertThat(broken()).containsExactly("I9b");
  }

  @Test
  void twoOfAKeyAtOnceAfterTheLeaseOfOneWasOver() {
    anotherOfItsKey(0, 100, 1.5, 2.5);
    ended(1.4, 1, TOKEN, true);
    assertThat(broken()).isEmpty();
  }

  @Test
  void aStartBeforeItsTime() {
    ends.set(0, new JobEnd(JOB, "key", "succeeded", 1, 5, 0.001, 7, null));
    assertThat(broken()).containsExactly("I10");
  }

  @Test
  void moreAdmittedThanTheCap() {
    history.add(new Sampled(1, CAP + 1, CAP + 1, 0));
    assertThat(broken()).containsExactly("I11");
  }

  @Test
  void whatCameBackIsAboveTheCapByRight() {
    history.add(new Sampled(1, CAP + 1, CAP, 0));
    assertThat(broken()).isEmpty();
  }

  private void refusedAt(double at, long depth) {
    for (double before = at - 0.9; before < at; before += 0.1) {
      history.add(new Sampled(before, depth, depth, 0));
    }
    history.add(new Refused(at, "key", 503, "queue-full", "3"));
  }

  @Test
  void aQueueThatIsCalledFullAndIsNot() {
    refusedAt(5, CAP / 2);
    assertThat(broken()).containsExactly("I12");
  }

  @Test
  void aQueueThatIsFull() {
    refusedAt(5, CAP);
    assertThat(broken()).isEmpty();
  }

  @Test
  void aRefusalWithoutATime() {
    history.add(new Refused(1, "key", 503, "queue-full", ""));
    assertThat(broken()).containsExactly("I12b");
  }

  @Test
  void aVersionThatGoesBack() {
    history.add(new Seen(3, "client", JOB, false, 200, "succeeded", 2));
    assertThat(broken()).containsExactly("I13");
  }

  @Test
  void aFinalStateThatDoesNotLast() {
    history.add(new Seen(3, "client", JOB, false, 200, "running", 4));
    assertThat(broken()).containsExactly("I13");
  }

  @Test
  void anAcknowledgedJobThatCannotBeRead() {
    history.add(new Seen(0.2, "client", OTHER, true, 404, "job-not-found", 0));
    assertThat(broken()).containsExactly("I14");
  }

  @Test
  void workThatIsNotTakenUpAgain() {
    history.add(new Fault(3, 4, "away", null));
    history.add(new Sampled(4, 0, 0, 0));
    history.add(new Sampled(12, 1, 1, 3));
    assertThat(broken()).containsExactly("I15");
  }

  @Test
  void aStandstillDoesNotExcuseItself() {
    history.add(new Fault(3, 4, "away", null));
    history.add(new Sampled(4, 10, 10, 0));
    history.add(new Sampled(60, 10, 10, 56));
    for (int n = 0; n < 10; n++) {
      change(60.5, Kind.REOPENED, 1, null, "node-0", null, false);
      change(60.5, Kind.FINAL, 1, null, "node-0", null, false);
    }
    assertThat(broken()).containsExactly("I15");
  }

  @Test
  void aResultOfAnAttemptThatWasGivenBack() {
    changes.removeIf(change -> change.kind() == Kind.FINAL);
    granted(3, 1, NEWER, "node-1");
    change(4, Kind.FINAL, 1, NEWER, "node-1", null, false);
    assertThat(broken()).containsExactly("I6");
  }

  @Test
  void anAnswerThatNoContractKnows() {
    history.add(new Refused(1, "key", 500, "internal-error", ""));
    assertThat(broken()).containsExactly("C1");
  }

  @Test
  void whatIsNotKnownIsToldAndNotJudged() {
    history.add(new Unknown(1, "key", "reset"));
    assertThat(broken()).isEmpty();
  }
}
