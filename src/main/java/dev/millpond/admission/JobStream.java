package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Jobs that come one after another from one client, each accepted or refused by itself. A full
 * queue, or a tenant's share of one that is nearly full, is no refusal here: they wait, in the line
 * of the clients that were sent away, and none overtakes the one before. Used by one thread, but
 * for {@link #end}.
 */
public final class JobStream implements AutoCloseable {

  /** Of the body that carries it: one job a line. */
  public static final String MEDIA_TYPE = "application/x-ndjson";

  private final QueueName queue;
  private final Admission admission;
  private final Permits permits;
  private final Consumer<JobStream> closed;

  /** What it is known by in the waiting line. */
  private final String client = UUID.randomUUID().toString();

  /** When its turn comes ({@code nanoTime}). */
  private long turn = System.nanoTime();

  private volatile Runnable whenEnded = () -> {};
  private volatile boolean ended;
  private volatile boolean waiting;

  JobStream(QueueName queue, Admission admission, Permits permits, Consumer<JobStream> whenClosed) {
    this.queue = queue;
    this.admission = admission;
    this.permits = permits;
    this.closed = whenClosed;
  }

  /**
   * One job.
   *
   * @param key by which it is known when it is sent again; null for none
   */
  public record Line(Submission job, @Nullable RequestKey key) {}

  /**
   * What became of one.
   *
   * @param decision null if there was a failure
   * @param failure as {@link Admission#admit} throws it
   */
  public record Answer(@Nullable Decision decision, @Nullable RuntimeException failure) {

    static Answer of(Decision decision) {
      return new Answer(decision, null);
    }

    static Answer of(RuntimeException failure) {
      return new Answer(null, failure);
    }
  }

  /**
   * Decides about as many of the first jobs as there is room for, in one commit; one at least,
   * unless there is no room for so long, or the stream has ended.
   *
   * @return in the order of the jobs; those without an answer were not accepted
   */
  public List<Answer> admit(List<Line> lines, Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    try {
      while (!ended) {
        long seen = permits.moves().count();
        List<Answer> answers = admission.admitLines(queue, lines, client);
        long now = System.nanoTime();
        if (!answers.isEmpty() || now - end >= 0) {
          return answers;
        }
        waiting = true;
        if (now - turn >= 0) {
          turn = now + permits.book(queue, client).toNanos();
        }
        permits.moves().await(seen, Duration.ofNanos(Math.min(end - now, turn - now)));
      }
      return List.of();
    } finally {
      waiting = false;
    }
  }

  /** Nothing more is accepted; whoever waits for room returns. */
  public void end() {
    ended = true;
    permits.moves().tell();
    whenEnded.run();
  }

  /** Has somebody told when the stream ends; at once if it has. */
  public void whenEnded(Runnable told) {
    whenEnded = told;
    if (ended) {
      told.run();
    }
  }

  public boolean isEnded() {
    return ended;
  }

  boolean isWaiting() {
    return waiting;
  }

  @Override
  public void close() {
    closed.accept(this);
  }
}
