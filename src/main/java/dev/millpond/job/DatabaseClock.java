package dev.millpond.job;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * The database's time as this node knows it: its own clock and an offset that is measured at the
 * start and every half minute. Ids and due times are stamped with it, so that a node whose clock is
 * wrong does no harm. What decides between nodes (due, expired) is judged by the database itself.
 */
@Component
public final class DatabaseClock {

  /**
   * Of several round trips the shortest tells best: the first one may include getting a connection.
   */
  private static final int TRIPS = 3;

  private final Clock clock;
  private final JdbcClient jdbc;

  /** Written by the measuring turn, read by everyone. */
  private volatile Duration offset = Duration.ZERO;

  DatabaseClock(Clock clock, JdbcClient jdbc) {
    this.clock = clock;
    this.jdbc = jdbc;
    measure();
  }

  /** Now, to within half a round trip to the database. */
  public Instant now() {
    return clock.instant().plus(offset);
  }

  @Scheduled(fixedDelayString = "PT30S", initialDelayString = "PT30S")
  void measure() {
    Duration shortest = Duration.ofDays(1);
    for (int i = 0; i < TRIPS; i++) {
      Instant before = clock.instant();
      Instant there =
          jdbc.sql("select clock_timestamp()").query(OffsetDateTime.class).single().toInstant();
      Duration trip = Duration.between(before, clock.instant());
      if (trip.compareTo(shortest) < 0) {
        shortest = trip;
        offset = Duration.between(before.plus(trip.dividedBy(2)), there);
      }
    }
  }
}
