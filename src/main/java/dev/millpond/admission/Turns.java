package dev.millpond.admission;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The ranks by which tenants' jobs of one queue start in turns: start-time fair queueing (Goyal,
 * Vin and Cheng, 1996), in which a job's rank is max(the queue's virtual time, its tenant's last
 * rank + 1 job). Here virtual time is the rank of the job that started last, and ranks are
 * microseconds since 1970: one job is by how much the virtual time moves while each tenant has one
 * started. No rank is later than now. So the jobs of a single tenant are ranked by age, as all jobs
 * are where there are no tenants, and who has few jobs waiting places them between those of the
 * others. Not thread-safe.
 */
final class Turns {

  private static final int PRIORITIES = 10;

  /** Beyond, all begin anew: a queue that never is empty must not remember them for ever. */
  private static final int MOST_TENANTS = 10_000;

  /** After so many starts an old pace of the virtual time counts for a third. */
  private static final double MEMORY = 64;

  private final Lane[] lanes = new Lane[PRIORITIES];

  /** The jobs of one priority. */
  private static final class Lane {

    /** The virtual time. */
    private long front;

    /** By how much it moves with each start; negative if unknown. */
    private double step = -1;

    private final Map<String, Long> last = new HashMap<>();
  }

  Turns() {
    Arrays.setAll(lanes, n -> new Lane());
  }

  /** So many jobs of the priority started, up to the rank. */
  void started(int priority, int jobs, long rank) {
    Lane lane = lanes[priority];
    if (lane.front > 0) {
      double moved = (double) Math.max(0, rank - lane.front) / jobs;
      lane.step =
          lane.step < 0 ? moved : lane.step + (moved - lane.step) * Math.min(1, jobs / MEMORY);
    }
    lane.front = Math.max(lane.front, rank);
  }

  /** Nothing waits: with the next job a new busy time begins. */
  void idle(long now) {
    for (Lane lane : lanes) {
      lane.front = Math.max(lane.front, now);
      lane.step = -1;
      lane.last.clear();
    }
  }

  /**
   * The rank of a job that becomes runnable now.
   *
   * @param runnable how many jobs wait for nothing but a slot
   * @param tenants how many tenants have jobs in the queue; with one it is now
   * @param now in microseconds since 1970
   */
  long rank(int priority, String tenant, int runnable, int tenants, long now) {
    Lane lane = lanes[priority];
    long rank = now;
    if (tenants > 1 && lane.front > 0) {
      long start = Math.min(lane.front, now);
      Long before = lane.last.get(tenant);
      long next =
          before == null ? start : before + Math.max(1, apart(lane, runnable, tenants, now));
      rank = Math.min(now, Math.max(start, next));
    }
    if (lane.last.size() >= MOST_TENANTS) {
      lane.last.clear();
    }
    lane.last.put(tenant, rank);
    return rank;
  }

  private static long apart(Lane lane, int runnable, int tenants, long now) {
    // Before anything has started, those that wait are taken to be the others' and evenly ranked.
    return lane.step < 0
        ? (now - lane.front) * (tenants - 1) / Math.max(1, runnable)
        : (long) (lane.step * tenants);
  }

  /** The virtual time of each priority; 0 where it is unknown. */
  List<Long> fronts() {
    return Arrays.stream(lanes).map(lane -> lane.front).toList();
  }

  /** What another node knows of the virtual times; tells whether any of it is news. */
  boolean learn(List<Long> fronts) {
    boolean news = false;
    for (int priority = 0; priority < fronts.size(); priority++) {
      news |= fronts.get(priority) > lanes[priority].front;
      lanes[priority].front = Math.max(lanes[priority].front, fronts.get(priority));
    }
    return news;
  }
}
