package dev.millpond.lease;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A worker says that it is still at work on a job.
 *
 * @param lease for how long it holds the job from now on; null for as long as before
 * @param percent how far it is, 0 to 100; null if it does not say
 * @param message what it is at; of no meaning without the percentage
 * @param lines what it logs
 */
public record Heartbeat(
    UUID id,
    UUID token,
    @Nullable Duration lease,
    @Nullable Integer percent,
    @Nullable String message,
    List<String> lines) {

  static Heartbeat of(Lease lease) {
    return new Heartbeat(lease.id(), lease.token(), null, null, null, List.of());
  }

  @Nullable Long leaseMillis() {
    return lease == null ? null : lease.toMillis();
  }
}
