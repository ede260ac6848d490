package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The checker sees what it is there for: services that were made to break a promise are caught. */
@Tag("whole")
@Timeout(180)
class MutantsE2E {

  private static final Duration DRAIN = Duration.ofSeconds(20);

  private static String text(String name, String text, String other) {
    return new Breakage(name, 0, List.of("text,dev.millpond.lease.LeaseSql," + text + "," + other))
        .option();
  }

  @Test
  void aSettlementWithoutTheFenceIsCaught() throws IOException, SQLException {
    // Neither at the settlement nor at the renewal, by which its zombie would else hear of the
    // loss.
    String option =
        new Breakage(
                "no-fence",
                0,
                List.of(
                    "text,dev.millpond.lease.LeaseSql,where lease.id = s.id and lease.token ="
                        + " s.token\n,where lease.id = s.id\n",
                    "text,dev.millpond.lease.LeaseSql,on lease.id = h.id and lease.token ="
                        + " h.token\n,on lease.id = h.id\n"))
            .option();
    try (Stage stage = new Stage("no-fence", 2, "", option);
        Trial trial = new Trial(stage, "M1", "no fence")) {
      // The oldest ends while its node stands still, and runs elsewhere when that one wakes.
      trial.load(4, Duration.ofMillis(200), n -> trial.effects().job(3_000));
      trial.awaitAcknowledged(40);
      trial.standStill(0, Stage.LEASE.multipliedBy(2));
      trial.awaitAcknowledged(20);
      trial.judge(DRAIN);
      assertThat(trial.count("I6")).as("settlements by another than the newest").isPositive();
    }
  }

  @Test
  void anAcknowledgementBeforeTheCommitIsOnTheDiskIsCaught() throws IOException, SQLException {
    try (Stage stage = new Stage("no-sync", 1, "?options=-c%20synchronous_commit=off");
        Trial trial = new Trial(stage, "M2", "acknowledged before the disk")) {
      trial.load();
      for (int n = 0; n < 3; n++) {
        trial.awaitAcknowledged(200);
        stage.postgres().stopImmediately();
        stage.postgres().start();
      }
      trial.awaitAcknowledged(20);
      trial.judge(DRAIN);
      assertThat(trial.count("I1")).as("acknowledged and lost").isPositive();
    }
  }

  @Test
  void aClaimThatWaitsForLocksIsCaught() throws IOException, SQLException {
    try (Stage stage =
            new Stage("no-skip", 1, "", text("no-skip", "for update skip locked", "for update"));
        Trial trial = new Trial(stage, "M3", "no SKIP LOCKED")) {
      trial.load().awaitAcknowledged(100);
      assertThat(Locked.doneBeside(stage, Stage.LEASE)).isLessThanOrEqualTo(Locked.IN_FLIGHT);
    }
  }

  @Test
  void aLeaseJudgedByAClockThatIsWrongIsCaught() throws IOException, SQLException {
    String option =
        text("wrong-clock", "expires_at < now()", "expires_at < now() + interval '1 hour'");
    try (Stage stage = new Stage("wrong-clock", 2, "", option);
        Trial trial = new Trial(stage, "M4", "leases judged by a wrong clock")) {
      trial.load().awaitAcknowledged(300);
      trial.judge(DRAIN);
      assertThat(trial.count("I7")).as("leases taken too early").isPositive();
    }
  }
}
