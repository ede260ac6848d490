package dev.millpond.rest;

import dev.millpond.job.Watches;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** The event streams that are open on this node. */
@Component
final class EventStreams {

  private final Watches watches;
  private final JobBodies bodies;
  private final JsonMapper json;
  private final Set<EventStream> open = ConcurrentHashMap.newKeySet();

  EventStreams(Watches watches, JobBodies bodies, JsonMapper json) {
    this.watches = watches;
    this.bodies = bodies;
    this.json = json;
  }

  /** Whether there is room for one more. */
  boolean takesMore() {
    return watches.takesMore();
  }

  /** Has a connection told of a job from now on. */
  void open(UUID job, EventId last, EventConnection connection) {
    EventStream stream = new EventStream(last, connection, bodies, json);
    open.add(stream);
    connection.whenReady(stream::ready);
    connection.whenGone(
        () -> {
          open.remove(stream);
          stream.close();
        });
    if (watches.takesMore()) {
      stream.begin(() -> watches.open(job, stream));
    } else {
      // The last place was taken, or the service stops, since the answer began.
      connection.close();
    }
  }

  /** Keeps the streams from looking dead, and gives up those that are full. */
  @Scheduled(fixedDelayString = "PT15S")
  void beat() {
    open.forEach(EventStream::beat);
  }
}
