package dev.millpond.admission;

import dev.millpond.admission.RoomSql.Waiting;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How the room of one queue is shared between tenants while it is nearly full: each of those that
 * were there within the last minute may fill an even part of the cap. As long as there is room
 * enough everybody gets in, so that a share that is not used is lent. Jobs without a tenant count
 * as one more. Times are {@code nanoTime} values, passed in.
 */
final class Shares {

  /** From this part of the cap on a tenant's share is a bound. */
  private static final double CROWDED = 0.9;

  private static final Duration ACTIVE = Duration.ofMinutes(1);
  private static final String NOBODY = "";

  /** With so many tenants those of the past are forgotten, and again at twice as many. */
  private static final int MANY = 1_000;

  private static final Duration COUNT_AGAIN = Duration.ofMillis(100);

  /** Guarded by this, with all that is in it. */
  private final Map<String, Tenant> tenants = new HashMap<>();

  private int forgetAt = MANY;

  /** How many tenants were active, and when that was counted; null if one has come since. */
  private int counted;

  private @Nullable Long countedAt;

  private static final class Tenant {
    private long waiting;
    private long waitingElsewhere;
    private long seenAt;

    private int all() {
      return (int) Math.clamp(waiting + waitingElsewhere, 0L, Integer.MAX_VALUE);
    }

    private boolean isActive(long now) {
      return all() > 0 || now - seenAt < ACTIVE.toNanos();
    }
  }

  private Tenant tenant(@Nullable String name, long now) {
    String key = name == null ? NOBODY : name;
    Tenant known = tenants.get(key);
    if (known == null) {
      if (tenants.size() >= forgetAt) {
        tenants.values().removeIf(tenant -> !tenant.isActive(now));
        forgetAt = Math.max(MANY, 2 * tenants.size());
      }
      known = new Tenant();
      tenants.put(key, known);
      countedAt = null;
    }
    known.seenAt = now;
    return known;
  }

  /** The tenant's jobs came or went through this node. */
  synchronized void change(@Nullable String name, int jobs, long now) {
    tenant(name, now).waiting += jobs;
  }

  /** New books: what waits through the old ones is told by {@link #elsewhere}. */
  synchronized void forget() {
    tenants.values().forEach(tenant -> tenant.waiting = 0);
  }

  /** What waits through the books of others. */
  synchronized void elsewhere(List<Waiting> waiting, long now) {
    tenants.values().forEach(tenant -> tenant.waitingElsewhere = 0);
    for (Waiting there : waiting) {
      if (there.waiting() > 0) {
        tenant(there.tenant(), now).waitingElsewhere = there.waiting();
      }
    }
    tenants.values().removeIf(tenant -> !tenant.isActive(now));
  }

  /** How many tenants the cap is shared by; at least 1. */
  synchronized int active(long now) {
    if (countedAt == null || now - countedAt > COUNT_AGAIN.toNanos()) {
      counted = (int) tenants.values().stream().filter(tenant -> tenant.isActive(now)).count();
      countedAt = now;
    }
    return Math.max(1, counted);
  }

  /** How many jobs of the tenant wait. */
  synchronized int waiting(@Nullable String name) {
    Tenant tenant = tenants.get(name == null ? NOBODY : name);
    return tenant == null ? 0 : tenant.all();
  }

  /**
   * The tenant's share of the cap, if its jobs would lift it above that while the queue is crowded;
   * empty if they may come in as far as other tenants are concerned.
   */
  synchronized OptionalInt exceeded(@Nullable String name, int jobs, int depth, int cap, long now) {
    int waiting = tenant(name, now).all();
    int active = active(now);
    int share = Math.max(1, cap / active);
    return active > 1 && depth + jobs > cap * CROWDED && waiting + jobs > share
        ? OptionalInt.of(share)
        : OptionalInt.empty();
  }
}
