package dev.millpond.faults;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import dev.millpond.faults.Change.Kind;
import dev.millpond.faults.Event.Acknowledged;
import dev.millpond.faults.Event.Effect;
import dev.millpond.faults.Event.Fault;
import dev.millpond.faults.Event.Hurried;
import dev.millpond.faults.Event.Refused;
import dev.millpond.faults.Event.Sampled;
import dev.millpond.faults.Event.Seen;
import dev.millpond.faults.Event.Submitted;
import dev.millpond.faults.Event.Unknown;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Counts in a history what the promises forbid. It trusts nothing that the service says of itself
 * where somebody else saw it too.
 *
 * @param cap of the queue
 * @param recovery lease and sweep, in seconds: after that a dead worker's job may start elsewhere
 */
record Checker(History history, List<Change> changes, List<JobEnd> ends, int cap, double recovery) {

  private static final int EXAMPLES = 3;
  private static final int WORKERS_LOST = 3;

  /** Seconds in which a node has found its database again. */
  private static final double RECONNECT = 5;

  /** Two clocks of one machine, and the time between an event and its note. */
  private static final double BLUR = 0.1;

  /** What a submit may be refused with in these trials: 503, or 409 while its first try commits. */
  private static final Set<String> REFUSALS =
      Set.of(
          "queue-full",
          "overloaded",
          "outcome-unknown",
          "database-unavailable",
          "idempotency-key-in-flight");

  /** Of the states that a client sees, those that last. */
  static final Set<String> FINAL_STATES = Set.of("succeeded", "failed", "cancelled", "expired");

  /** An attempt may overlap the next if it was settled, without its end, for one of these. */
  private static final Set<String> GIVEN_UP = Set.of("timeout");

  List<Count> check() {
    return List.of(
        none("I1", "acknowledged jobs without a final state", lost()),
        none("I1b", "jobs that are not final after the drain", unfinished()),
        none("I2", "jobs that ran and nobody submitted", invented()),
        told("I3", "submits whose outcome nobody learnt, and whose job exists", unlearnt()),
        none("I4", "keys with two jobs", doubled()),
        none("I5", "jobs that became final twice", finalTwice()),
        none("I6", "settlements by another than the newest lease", fencedOff()),
        none(
            "I7",
            "overlapping runs whose lease was not over, or leases taken too early",
            overlaps()),
        none("I8", "jobs with more failed attempts than allowed", tooManyAttempts()),
        none(
            "I9",
            "starts before the end of one that came first with its key of limit 1",
            passing()),
        none("I9b", "runs beside as many of their concurrency key as may run", crowded()),
        none("I10", "starts before runAt", early()),
        none("I11", "samples in which more than the cap was admitted", aboveCap()),
        none("I12", "queue-full though a tenth was free for a second", needless()),
        none("I12b", "503 without a Retry-After from 1 to 300", untimed()),
        none("I13", "states that a client saw go backwards", backwards()),
        none("I14", "answers that an acknowledged job does not exist", unreadable()),
        healing(),
        none("C1", "answers outside the contract", outsideTheContract()),
        told("F1", "submits without an answer", history.all(Unknown.class)),
        told("F2", "submits refused", history.all(Refused.class)),
        told("F3", "attempts whose worker was lost", workersLost()),
        told("F4", "runs beyond the first of a job", repeated()));
  }

  private static Count none(String name, String what, Collection<?> broken) {
    return new Count(
        name,
        what,
        broken.size(),
        0,
        broken.stream().limit(EXAMPLES).map(Object::toString).toList());
  }

  private static Count told(String name, String what, Collection<?> seen) {
    return new Count(name, what, seen.size(), -1, List.of());
  }

  private Map<UUID, JobEnd> endsById() {
    return ends.stream().collect(toMap(JobEnd::id, end -> end));
  }

  private Map<UUID, List<Change>> changesByJob() {
    return changes.stream().collect(groupingBy(Change::job));
  }

  private List<Acknowledged> lost() {
    Map<UUID, JobEnd> byId = endsById();
    return history.all(Acknowledged.class).stream()
        .filter(job -> !byId.containsKey(job.id()) || !byId.get(job.id()).isFinal())
        .toList();
  }

  /** Acknowledged or not: also a job of whose submit nobody heard must not be stuck. */
  private List<JobEnd> unfinished() {
    return ends.stream().filter(end -> !end.isFinal()).toList();
  }

  private Set<String> submittedKeys() {
    return history.all(Submitted.class).stream().map(Submitted::key).collect(toSet());
  }

  private List<UUID> invented() {
    Set<String> keys = submittedKeys();
    Map<UUID, JobEnd> byId = endsById();
    return Stream.concat(
            changes.stream().filter(change -> change.kind() == Kind.GRANTED).map(Change::job),
            history.all(Effect.class).stream().map(Effect::job))
        .distinct()
        .filter(job -> !byId.containsKey(job) || !keys.contains(byId.get(job).key()))
        .toList();
  }

  private Set<String> unlearnt() {
    Set<String> keys = ends.stream().map(JobEnd::key).collect(toSet());
    keys.retainAll(submittedKeys());
    history.all(Acknowledged.class).forEach(job -> keys.remove(job.key()));
    return keys;
  }

  private List<String> doubled() {
    return Stream.concat(
            ends.stream().map(end -> Map.entry(end.key(), end.id())),
            history.all(Acknowledged.class).stream().map(job -> Map.entry(job.key(), job.id())))
        .collect(groupingBy(Map.Entry::getKey, mapping(Map.Entry::getValue, toSet())))
        .entrySet()
        .stream()
        .filter(key -> key.getValue().size() > 1)
        .map(Object::toString)
        .toList();
  }

  private List<UUID> finalTwice() {
    return changesByJob().entrySet().stream()
        .filter(
            job -> {
              long ended = count(job.getValue(), Kind.FINAL);
              return ended > 1 + count(job.getValue(), Kind.REOPENED);
            })
        .map(Map.Entry::getKey)
        .toList();
  }

  private List<Change> workersLost() {
    return changes.stream().filter(Change::isWorkerLost).toList();
  }

  private List<Change> repeated() {
    Set<UUID> started = new HashSet<>();
    return changes.stream()
        .filter(change -> change.kind() == Kind.GRANTED && !started.add(change.job()))
        .toList();
  }

  private static long count(List<Change> changes, Kind kind) {
    return changes.stream().filter(change -> change.kind() == kind).count();
  }

  /**
   * By the token that the database noted with each change; and by the result, which names the run
   * that it is of. Without a fence it is the result that tells.
   */
  private List<Object> fencedOff() {
    List<Object> broken = new ArrayList<>();
    Map<UUID, List<Change>> byJob = changesByJob();
    for (List<Change> job : byJob.values()) {
      UUID newest = null;
      for (Change change : job) {
        if (change.kind() == Kind.GRANTED) {
          newest = change.token();
        } else if (isSettlement(change) && !Objects.equals(change.token(), newest)) {
          broken.add(change);
        }
      }
    }
    Map<Integer, Effect> effects =
        history.all(Effect.class).stream().collect(toMap(Effect::number, effect -> effect));
    for (JobEnd end : ends) {
      Effect effect = end.effect() == null ? null : effects.get(end.effect());
      if (effect != null
          && !isOfNewestLease(effect, end, byJob.getOrDefault(end.id(), List.of()))) {
        broken.add(List.of(end, effect));
      }
    }
    return broken;
  }

  /**
   * An attempt that was given back has the number of the next one: so the time is looked at, too.
   */
  private static boolean isOfNewestLease(Effect effect, JobEnd end, List<Change> life) {
    double newest =
        life.stream()
            .filter(change -> change.kind() == Kind.GRANTED)
            .mapToDouble(Change::at)
            .max()
            .orElse(0);
    return effect.job().equals(end.id())
        && effect.attempt() == end.attempt()
        && effect.at() >= newest - BLUR;
  }

  private static boolean isSettlement(Change change) {
    return (change.kind() == Kind.FINAL || change.kind() == Kind.AGAIN) && change.token() != null;
  }

  private List<Object> overlaps() {
    List<Object> broken = new ArrayList<>();
    Map<UUID, List<Effect>> effects =
        history.all(Effect.class).stream().collect(groupingBy(Effect::job));
    Map<UUID, List<Change>> byJob = changesByJob();
    effects.forEach(
        (job, runs) -> {
          List<Change> life = byJob.getOrDefault(job, List.of());
          for (int n = 1; n < runs.size(); n++) {
            Effect earlier = runs.get(n - 1);
            Effect later = runs.get(n);
            if (end(earlier, life) > later.at() + BLUR && !isGivenUp(earlier, later, life)) {
              broken.add(List.of(earlier, later, life));
            }
          }
        });
    byJob
        .values()
        .forEach(life -> life.stream().filter(c -> isTakenEarly(c, life)).forEach(broken::add));
    return broken;
  }

  /** When a run was over at the latest: with its answer, or with its process. */
  private double end(Effect run, List<Change> life) {
    double answered = run.ended() == null ? Double.MAX_VALUE : run.ended();
    Change grant = grant(run.at(), life);
    return grant == null ? answered : Math.min(answered, death(grant.worker(), grant.at()));
  }

  /** The lease under which a job was at a time. */
  private static @Nullable Change grant(double at, List<Change> life) {
    return life.stream()
        .filter(change -> change.kind() == Kind.GRANTED && change.at() <= at + BLUR)
        .reduce((_, last) -> last)
        .orElse(null);
  }

  /** When a node's process died the next time. */
  private double death(@Nullable String node, double after) {
    return history.all(Fault.class).stream()
        .filter(fault -> fault.node() != null && fault.node().equals(node))
        .mapToDouble(Fault::at)
        .filter(at -> at >= after - BLUR)
        .min()
        .orElse(Double.MAX_VALUE);
  }

  /**
   * Whether the lease of one of two runs was over, or settled without its end, before the later one
   * began. It may be the later one's: a call can leave a process long after it stood still.
   */
  private static boolean isGivenUp(Effect earlier, Effect later, List<Change> life) {
    return isLost(earlier, later.at(), life) || isLost(later, later.at(), life);
  }

  /** Whether a run's lease was over at a time, or settled, without its end. */
  private static boolean isLost(Effect run, double at, List<Change> life) {
    return life.stream()
        .filter(c -> c.attempt() == run.attempt() && c.at() <= at + BLUR)
        .anyMatch(
            c ->
                (c.kind() == Kind.ENDED && (c.overdue() || isGivenBack(c, life)))
                    || (c.kind() == Kind.AGAIN && GIVEN_UP.contains(String.valueOf(c.error()))));
  }

  /** Whether the worker itself gave a job back: no attempt was written with the lease's end. */
  private static boolean isGivenBack(Change end, List<Change> life) {
    return life.stream()
        .noneMatch(
            c ->
                c.transaction() == end.transaction()
                    && (c.kind() == Kind.AGAIN || c.kind() == Kind.FINAL));
  }

  /** A worker was taken for dead although its lease was not over and its process lived. */
  private boolean isTakenEarly(Change end, List<Change> life) {
    if (!end.isWorkerLost()) {
      return false;
    }
    boolean overdue =
        life.stream()
            .anyMatch(c -> c.kind() == Kind.ENDED && c.attempt() == end.attempt() && c.overdue());
    Change grant =
        life.stream()
            .filter(c -> c.kind() == Kind.GRANTED && c.number() < end.number())
            .reduce((_, last) -> last)
            .orElse(null);
    return !overdue && (grant == null || death(grant.worker(), grant.at()) > end.at() + BLUR);
  }

  private Collection<List<JobEnd>> lines() {
    return ends.stream()
        .filter(end -> end.concurrency() != null)
        .collect(groupingBy(end -> String.valueOf(end.concurrency())))
        .values();
  }

  /** What was acknowledged before another was submitted came before it, and so it ends before. */
  private List<Object> passing() {
    Map<String, Double> submitted =
        history.all(Submitted.class).stream()
            .collect(toMap(Submitted::key, Submitted::at, Math::min));
    Map<UUID, Double> acknowledged =
        history.all(Acknowledged.class).stream()
            .collect(toMap(Acknowledged::id, Acknowledged::at, Math::min));
    Map<UUID, List<Change>> byJob = changesByJob();
    List<Object> broken = new ArrayList<>();
    for (List<JobEnd> line : lines()) {
      if (limit(line) == 1) {
        for (JobEnd later : line) {
          double came = submitted.getOrDefault(later.key(), 0.0);
          long start = numbers(byJob, later, Kind.GRANTED).min().orElse(Long.MAX_VALUE);
          line.stream()
              .filter(end -> acknowledged.getOrDefault(end.id(), Double.MAX_VALUE) < came)
              .filter(end -> numbers(byJob, end, Kind.FINAL).max().orElse(Long.MAX_VALUE) > start)
              .forEach(earlier -> broken.add(List.of(earlier, later)));
        }
      }
    }
    return broken;
  }

  private static int limit(List<JobEnd> line) {
    return Objects.requireNonNull(line.getFirst().concurrency()).limit();
  }

  private static LongStream numbers(Map<UUID, List<Change>> byJob, JobEnd job, Kind kind) {
    return byJob.getOrDefault(job.id(), List.of()).stream()
        .filter(change -> change.kind() == kind)
        .mapToLong(Change::number);
  }

  /** All by the clock of whom they call, and by the deaths and leases that explain the others. */
  private List<Object> crowded() {
    Map<UUID, List<Change>> byJob = changesByJob();
    Map<UUID, List<Effect>> effects =
        history.all(Effect.class).stream().collect(groupingBy(Effect::job));
    List<Object> broken = new ArrayList<>();
    for (List<JobEnd> line : lines()) {
      List<Effect> runs =
          line.stream()
              .flatMap(end -> effects.getOrDefault(end.id(), List.of()).stream())
              .filter(run -> !isLost(run, run.at(), byJob.getOrDefault(run.job(), List.of())))
              .toList();
      for (Effect run : runs) {
        List<Effect> beside =
            runs.stream()
                .filter(other -> other.at() < run.at() && !other.job().equals(run.job()))
                .filter(other -> !isOver(other, run.at(), byJob))
                .toList();
        if (beside.size() >= limit(line)) {
          broken.add(List.of(run, beside));
        }
      }
    }
    return broken;
  }

  private boolean isOver(Effect run, double at, Map<UUID, List<Change>> byJob) {
    List<Change> life = byJob.getOrDefault(run.job(), List.of());
    Change grant = grant(run.at(), life);
    return (run.ended() != null && run.ended() <= at)
        || (grant != null && death(grant.worker(), grant.at()) <= at + BLUR)
        || isLost(run, at, life);
  }

  private List<JobEnd> tooManyAttempts() {
    Map<UUID, List<Change>> byJob = changesByJob();
    return ends.stream()
        .filter(
            end -> {
              List<Change> failures =
                  byJob.getOrDefault(end.id(), List.of()).stream()
                      .filter(change -> change.error() != null)
                      .toList();
              long lost = failures.stream().filter(Change::isWorkerLost).count();
              return failures.size() - lost > end.maxAttempts() || lost > WORKERS_LOST;
            })
        .toList();
  }

  private List<JobEnd> early() {
    Set<UUID> hurried = history.all(Hurried.class).stream().map(Hurried::id).collect(toSet());
    return ends.stream()
        .filter(end -> end.isFinal() && end.earlyBy() > 0 && !hurried.contains(end.id()))
        .toList();
  }

  private List<Sampled> aboveCap() {
    return history.all(Sampled.class).stream().filter(sample -> sample.fresh() > cap).toList();
  }

  private List<Refused> needless() {
    NavigableMap<Double, Long> depths = new TreeMap<>();
    history.all(Sampled.class).forEach(sample -> depths.put(sample.at(), sample.depth()));
    return history.all(Refused.class).stream()
        .filter(refused -> refused.problem().equals("queue-full"))
        .filter(refused -> !isBroken(refused.at()))
        .filter(
            refused -> {
              Collection<Long> before = depths.subMap(refused.at() - 1, refused.at()).values();
              return refused.at() > 1
                  && before.size() > 2
                  && before.stream().allMatch(depth -> depth < 0.9 * cap);
            })
        .toList();
  }

  /** Whether something was broken at a time, or not yet recovered from. */
  private boolean isBroken(double at) {
    return history.all(Fault.class).stream()
        .anyMatch(fault -> fault.at() <= at && at <= fault.healed() + recovery + 1);
  }

  private List<Refused> untimed() {
    return history.all(Refused.class).stream()
        .filter(refused -> refused.status() == 503)
        .filter(refused -> !refused.retryAfter().matches("[1-9][0-9]?|[12][0-9][0-9]|300"))
        .toList();
  }

  private List<Object> backwards() {
    List<Object> broken = new ArrayList<>();
    Set<UUID> reopened =
        changes.stream().filter(c -> c.kind() == Kind.REOPENED).map(Change::job).collect(toSet());
    history.all(Seen.class).stream()
        .filter(seen -> seen.status() == 200)
        .collect(groupingBy(seen -> Map.entry(seen.client(), seen.id())))
        .values()
        .forEach(
            looks -> {
              for (int n = 1; n < looks.size(); n++) {
                Seen before = looks.get(n - 1);
                Seen after = looks.get(n);
                boolean older = after.version() < before.version();
                boolean other =
                    after.version() == before.version() && !after.state().equals(before.state());
                boolean revived =
                    FINAL_STATES.contains(before.state())
                        && !after.state().equals(before.state())
                        && !reopened.contains(after.id());
                if (older || other || revived) {
                  broken.add(List.of(before, after));
                }
              }
            });
    return broken;
  }

  /** At once or later: nothing is removed within a trial. */
  private List<Seen> unreadable() {
    return history.all(Seen.class).stream()
        .filter(seen -> seen.status() == 404 || seen.status() == 410)
        .toList();
  }

  /**
   * Seconds from the end of the last fault until no runnable job was older than lease and sweep.
   */
  private Count healing() {
    double healed = history.all(Fault.class).stream().mapToDouble(Fault::healed).max().orElse(0);
    boolean ofDatabase =
        history.all(Fault.class).stream()
            .anyMatch(fault -> fault.node() == null && !fault.what().equals(Fault.STANDSTILL));
    double bound = ofDatabase ? Math.max(RECONNECT, recovery) : recovery;
    List<Sampled> after =
        history.all(Sampled.class).stream().filter(sample -> sample.at() >= healed).toList();
    double calm =
        after.stream()
            .filter(sample -> sample.oldest() > recovery)
            .mapToDouble(Sampled::at)
            .max()
            .orElse(healed);
    double backlog = after.isEmpty() ? 0 : after.getFirst().depth();
    // What it does in its best second: a standstill must not excuse itself.
    double perSecond =
        changes.stream()
            .filter(c -> c.kind() == Kind.FINAL && c.at() > healed)
            .collect(groupingBy(c -> Math.floor(c.at()), counting()))
            .values()
            .stream()
            .mapToDouble(Long::doubleValue)
            .max()
            .orElse(1);
    return new Count(
        "I15",
        "seconds until no runnable job was older than lease and sweep",
        after.isEmpty() ? Double.MAX_VALUE : calm - healed,
        bound + backlog / perSecond,
        List.of());
  }

  private List<Object> outsideTheContract() {
    Stream<Refused> answers =
        history.all(Refused.class).stream().filter(answer -> !REFUSALS.contains(answer.problem()));
    Stream<Seen> looks =
        history.all(Seen.class).stream()
            .filter(seen -> !Set.of(200, 304, 404, 410, 503).contains(seen.status()));
    return Stream.concat(answers, looks).map(Object.class::cast).toList();
  }
}
