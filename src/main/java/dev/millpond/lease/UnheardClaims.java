package dev.millpond.lease;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Claims whose answer was lost. What they have leased nobody works on: given back as soon as the
 * database can be asked, it neither waits for the end of its lease nor counts as the death of a
 * worker.
 */
final class UnheardClaims {

  /**
   * A claim may be committed some time after its connection broke. What is leased later than that
   * expires.
   */
  private static final Duration REMEMBERED = Duration.ofSeconds(30);

  /**
   * When each was lost, or first looked for if that was later ({@code nanoTime}), by its token.
   * Written by whoever claims.
   */
  private final Map<UUID, Long> lost = new ConcurrentHashMap<>();

  /** Those that nobody has looked for. */
  private final Set<UUID> unsought = ConcurrentHashMap.newKeySet();

  void add(UUID token) {
    lost.put(token, System.nanoTime());
    unsought.add(token);
  }

  boolean hasUnsought() {
    return !unsought.isEmpty();
  }

  /** Those that may hold jobs. */
  Set<UUID> all() {
    long now = System.nanoTime();
    lost.entrySet()
        .removeIf(
            claim ->
                !unsought.contains(claim.getKey())
                    && now - claim.getValue() > REMEMBERED.toNanos());
    return Set.copyOf(lost.keySet());
  }

  /** Somebody has looked what they hold. */
  void sought(Set<UUID> tokens) {
    long now = System.nanoTime();
    tokens.stream().filter(unsought::remove).forEach(token -> lost.replace(token, now));
  }
}
