package dev.millpond.faults;

import dev.millpond.testing.Skipped;
import java.io.IOException;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A pooler in transaction mode between the service and its database: no hints arrive, only polls.
 */
@Tag("whole")
@Timeout(180)
class PoolerE2E {

  @Test
  void allWorksThroughPgBouncer() throws IOException, SQLException {
    Skipped.unless(PgBouncer.isInstalled(), "no pgbouncer here: nothing was tried behind a pooler");
    try (Stage stage = Stage.behindPgBouncer("pooler");
        Trial trial =
            new Trial(stage, "P19", "behind PgBouncer in transaction mode, a node killed")) {
      trial.load().awaitAcknowledged(300);
      trial.kill(0);
      trial.awaitAcknowledged(300);
      trial.judge();
    }
  }
}
