package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millpond.job.Job;
import dev.millpond.job.JobState;
import dev.millpond.job.LogEntry;
import dev.millpond.job.LogPosition;
import dev.millpond.job.Progress;
import dev.millpond.job.Watcher;
import dev.millpond.job.Watches;
import dev.millpond.job.Watches.Watch;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * What one client is told of one job, as Server-Sent Events. Nothing is kept for a client that does
 * not read: when it does again it is told what holds then, and the log from where it was.
 */
final class EventStream implements Watcher {

  private static final byte[] BEAT = ":\n\n".getBytes(UTF_8);

  /** In milliseconds: the clients of a node that stops do not come back all at once. */
  private static final int LEAST_RETRY = 1_000;

  private static final int MOST_RETRY = 5_000;

  private final EventConnection connection;
  private final JobBodies bodies;
  private final JsonMapper json;

  // All of it guarded by the lock of the connection: a second one could be taken in another order.
  private @Nullable Watch watch;

  /** What was told last. */
  private int version;

  /**
   * Read without the lock: it is an immutable value, and a log is read from it, again if need be.
   */
  private volatile LogPosition position;

  private int attempt;
  private @Nullable JobState state;
  private @Nullable Progress progress;

  /** Whether there was something to tell when the client did not read. */
  private boolean behind;

  /** Whether the client did not read when the last beat was due. */
  private boolean slow;

  EventStream(EventId last, EventConnection connection, JobBodies bodies, JsonMapper json) {
    this.connection = connection;
    this.bodies = bodies;
    this.json = json;
    this.version = last.version();
    this.position = last.position();
  }

  /** Tells what has happened since the last event that the client has seen, and goes on. */
  void begin(Supplier<Watch> open) {
    alone(
        () -> {
          Watch opened = open.get();
          watch = opened;
          int retry = ThreadLocalRandom.current().nextInt(LEAST_RETRY, MOST_RETRY);
          connection.send(("retry: " + retry + "\n\n").getBytes(UTF_8));
          opened.lookAgain();
        });
  }

  private void alone(Runnable action) {
    connection.lock().lock();
    try {
      action.run();
    } finally {
      connection.lock().unlock();
    }
  }

  @Override
  public void see(Optional<Job> job, List<LogEntry> lines) {
    alone(
        () -> {
          if (job.isEmpty()) {
            connection.end();
          } else if (connection.isReady()) {
            tell(job.get(), lines);
          } else {
            behind = true;
          }
        });
  }

  private void tell(Job job, List<LogEntry> lines) {
    StringBuilder events = new StringBuilder();
    for (LogEntry entry : lines) {
      position = entry.position();
      events.append(event("log", entry.line()));
    }
    boolean mayHaveMore = lines.size() == Watches.LINES;
    // All that was logged before a change is told before it.
    if (!mayHaveMore && job.version() != version) {
      events.append(change(job));
    } else if (state == null && job.version() == version) {
      note(job); // What the client has seen before it came back.
    }
    if (!events.isEmpty()) {
      connection.send(events.toString().getBytes(UTF_8));
    }
    if (mayHaveMore) {
      again();
    } else if (job.state().isFinal()) {
      connection.end();
    }
  }

  private String change(Job job) {
    boolean isProgress =
        job.progress() != null
            && job.state() == state
            && job.attempt() == attempt
            && !job.progress().equals(progress);
    note(job);
    return isProgress
        ? event("progress", job.progress())
        : event("state", bodies.body(job, Set.of()));
  }

  private void note(Job job) {
    version = job.version();
    state = job.state();
    attempt = job.attempt();
    progress = job.progress();
  }

  private String event(String name, @Nullable Object data) {
    return "event: %s\nid: %s\ndata: %s\n\n"
        .formatted(name, new EventId(version, position), json.writeValueAsString(data));
  }

  private void again() {
    Objects.requireNonNull(watch).lookAgain();
  }

  /** It is looked for again; the client knows no worse than before. */
  @Override
  public void miss(RuntimeException why) {}

  @Override
  public void stop() {
    alone(connection::end);
  }

  @Override
  public Optional<LogPosition> read() {
    return Optional.of(position);
  }

  /** The client reads again. */
  void ready() {
    alone(
        () -> {
          slow = false;
          if (behind) {
            behind = false;
            again();
          }
        });
  }

  /** Shows that the stream lives. Who has not made room for it since the last time is given up. */
  void beat() {
    alone(
        () -> {
          if (connection.isReady()) {
            connection.send(BEAT);
          } else if (slow) {
            connection.close();
          } else {
            slow = true;
          }
        });
  }

  /** Nobody is told any more. */
  void close() {
    alone(
        () -> {
          if (watch != null) {
            watch.close();
          }
        });
  }
}
