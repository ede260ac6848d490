package dev.millpond.lease;

import dev.millpond.job.Outcome;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One job, what two workers believe of it, and what of its history the protocol's promises speak
 * of.
 *
 * @param accepted whether a settlement with the newest token was accepted
 * @param ends how often the job became final
 * @param redrives how often it left a final state
 */
record World(ModelJob job, List<Worker> workers, boolean accepted, int ends, int redrives) {

  private static final Comparator<Worker> ORDER =
      Comparator.comparingInt((Worker worker) -> worker.token())
          .thenComparing(worker -> "" + worker.decided());

  /**
   * A worker's memory of its lease.
   *
   * @param token 0 if it works on nothing
   * @param decided the outcome that it is about to settle, or has sent without hearing an answer;
   *     null while its handler runs
   */
  record Worker(
      int token, int attempt, int recoveries, int maxAttempts, @Nullable Outcome decided) {

    static final Worker IDLE = new Worker(0, 0, 0, 0, null);

    static Worker of(ModelJob job) {
      return new Worker(job.token(), job.attempt(), job.recoveries(), job.maxAttempts(), null);
    }

    Worker decided(Outcome outcome) {
      return new Worker(token, attempt, recoveries, maxAttempts, outcome);
    }

    private Worker forgetful() {
      return token == 0 ? IDLE : new Worker(token, 1, 0, 1, decided);
    }

    private Worker token(int renamed) {
      return new Worker(renamed, attempt, recoveries, maxAttempts, decided);
    }

    /** The lease as the product has it. */
    Lease lease() {
      return new Lease(
          new UUID(0, 1),
          new UUID(0, token),
          QueueName.DEFAULT,
          null,
          "demo.noop",
          null,
          attempt,
          recoveries,
          maxAttempts,
          RetryPolicy.DEFAULT,
          Duration.ofMinutes(5),
          null,
          Duration.ZERO,
          Instant.EPOCH);
    }
  }

  World job(ModelJob next) {
    return new World(next, workers, accepted, ends, redrives);
  }

  World worker(int index, Worker next) {
    List<Worker> both =
        index == 0 ? List.of(next, workers.getLast()) : List.of(workers.getFirst(), next);
    return new World(job, both, accepted, ends, redrives);
  }

  /** With what the step from the world before adds to the history. */
  World after(World before, boolean settled) {
    boolean granted = job.isLeased() && !before.job.isLeased();
    return new World(
        job,
        workers,
        granted ? false : accepted || settled,
        ends + (job.state().isFinal() && !before.job.state().isFinal() ? 1 : 0),
        redrives + (before.job.state().isFinal() && !job.state().isFinal() ? 1 : 0));
  }

  /**
   * Worlds that differ in nothing that matters are one: only the order of tokens matters, not which
   * worker is the first, and not what else a worker remembers of a lease that is not the job's any
   * more. Were such a worker's settlement accepted, its token alone would break a promise.
   */
  World canonical() {
    List<Integer> tokens =
        Stream.concat(Stream.of(0, job.newest()), workers.stream().map(Worker::token))
            .distinct()
            .sorted()
            .toList();
    List<Worker> same =
        workers.stream()
            .map(worker -> worker.token() == job.token() ? worker : worker.forgetful())
            .map(worker -> worker.token(tokens.indexOf(worker.token())))
            .sorted(ORDER)
            .toList();
    ModelJob renamed = job.tokens(tokens.indexOf(job.token()), tokens.indexOf(job.newest()));
    return new World(renamed, same, accepted, ends, redrives);
  }
}
