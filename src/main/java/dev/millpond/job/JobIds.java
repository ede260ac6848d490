package dev.millpond.job;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.UUIDClock;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.stereotype.Component;

/**
 * Ids of jobs: UUIDv7 (RFC 9562, section 5.7), stamped with the database's time and monotonic on a
 * node, so that ids of different nodes follow the order of their submits to within the error of
 * {@link DatabaseClock}.
 */
@Component
public final class JobIds {

  private static final int RANDOM_BITS_OF_THE_HIGH_HALF = 16;

  private final TimeBasedEpochGenerator generator;

  JobIds(DatabaseClock clock) {
    AtomicLong latest = new AtomicLong();
    generator =
        Generators.timeBasedEpochGenerator(
            null,
            new UUIDClock() {
              @Override
              public long currentTimeMillis() {
                // The measured offset may shrink: time stands still until it has caught up.
                return latest.accumulateAndGet(clock.now().toEpochMilli(), Math::max);
              }
            });
  }

  /** A new id, greater than all that this node has made. */
  public UUID next() {
    return generator.generate();
  }

  /** When the job with this id was submitted, in milliseconds of the database's time. */
  public static Instant submittedAt(UUID id) {
    return Instant.ofEpochMilli(id.getMostSignificantBits() >>> RANDOM_BITS_OF_THE_HIGH_HALF);
  }

  /** The smallest id of a moment. */
  public static UUID floor(Instant moment) {
    return new UUID(moment.toEpochMilli() << RANDOM_BITS_OF_THE_HIGH_HALF, 0);
  }
}
