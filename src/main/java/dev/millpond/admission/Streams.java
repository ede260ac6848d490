package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/** The streams of jobs that are open on this node. */
@Component
public class Streams {

  /** Each holds some memory for as long as it is open; see who reads them. */
  public static final int MOST = 32;

  private final Admission admission;
  private final Permits permits;
  private final Set<JobStream> open = ConcurrentHashMap.newKeySet();

  /** Set once, when the service stops. */
  private volatile boolean stopping;

  Streams(Admission admission, Permits permits, MeterRegistry meters) {
    this.admission = admission;
    this.permits = permits;
    Gauge.builder("millpond.streams", open, Set::size)
        .description("Streams of jobs that are open")
        .register(meters);
    Gauge.builder(
            "millpond.streams.waiting",
            open,
            all -> all.stream().filter(JobStream::isWaiting).count())
        .description("Streams of jobs that wait for room in their queue")
        .register(meters);
  }

  /** Opens a stream; empty if there are too many, or the service stops. */
  public synchronized Optional<JobStream> open(QueueName queue) {
    if (stopping || open.size() >= MOST) {
      return Optional.empty();
    }
    JobStream stream = new JobStream(queue, admission, permits, open::remove);
    open.add(stream);
    return Optional.of(stream);
  }

  /** Before all else stops: a stream has no end of its own that could be waited for. */
  @EventListener(ContextClosedEvent.class)
  synchronized void stop() {
    stopping = true;
    open.forEach(JobStream::end);
  }
}
