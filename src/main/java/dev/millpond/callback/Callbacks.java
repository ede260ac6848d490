package dev.millpond.callback;

import dev.millpond.callback.Callback.Attempt;
import dev.millpond.callback.Callback.State;
import dev.millpond.callback.CallbackSql.Calls;
import dev.millpond.job.Job;
import java.util.List;
import java.util.Optional;
import org.springframework.stereotype.Component;

/** Who is told of jobs' ends. */
@Component
public final class Callbacks {

  private final CallbackSql sql;

  Callbacks(CallbackSql sql) {
    this.sql = sql;
  }

  /** Who is told of the job's end, as it stands now; empty if the submit named nobody. */
  public Optional<Callback> find(Job job) {
    return Optional.ofNullable(job.callback())
        .map(
            url ->
                job.state().isFinal()
                    ? told(url, sql.find(job.id(), job.version()))
                    : new Callback(url, State.WAITING, null, List.of()));
  }

  private static Callback told(String url, Calls calls) {
    return new Callback(
        url,
        calls.pending() ? State.PENDING : ended(calls.attempts()),
        calls.nextAttemptAt(),
        calls.attempts());
  }

  private static State ended(List<Attempt> attempts) {
    if (attempts.isEmpty()) {
      // The job was sent back since it was read.
      return State.WAITING;
    }
    return attempts.getLast().error() == null ? State.DELIVERED : State.FAILED;
  }
}
