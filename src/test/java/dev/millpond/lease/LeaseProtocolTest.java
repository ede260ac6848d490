package dev.millpond.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.job.JobError;
import dev.millpond.job.JobState;
import dev.millpond.job.Outcome;
import dev.millpond.lease.LeaseSql.SettledRow;
import dev.millpond.lease.ModelJob.StartBy;
import dev.millpond.lease.World.Worker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lease protocol explored to its end: one job, two workers that may crash, stall or send again
 * at any step, the reaper, and somebody who cancels and redrives. Time is whatever comes next: a
 * lease may expire, and a job be due, at any moment. In each world that can be reached the promises
 * hold; rules that are broken on purpose are seen to break them.
 */
class LeaseProtocolTest {

  private static final Logger log = LoggerFactory.getLogger(LeaseProtocolTest.class);
  private static final UUID ACCOUNT = new UUID(0, 0);
  private static final JobError ERROR = new JobError("broken", "it broke");

  /** A second one meets nothing that the first has not. */
  private static final int MAX_REDRIVES = 1;

  /** Far more than the rules lead to: a broken rule that loses count ends here. */
  private static final int MAX_WORLDS = 2_000_000;

  /** Each kind of outcome, to be tried again at once and later. */
  private static final List<Outcome> OUTCOMES =
      List.of(
          new Outcome.Succeeded(null),
          new Outcome.Failed(ERROR, true, null),
          new Outcome.Failed(ERROR, false, Duration.ZERO),
          new Outcome.Failed(ERROR, false, Duration.ofHours(1)),
          new Outcome.Cancelled(),
          new Outcome.Released(Duration.ZERO),
          new Outcome.Released(Duration.ofHours(1)));

  /**
   * A step from one world to the next.
   *
   * @param settled who settled the job by it, if it did
   */
  private record Step(World before, String name, World next, Optional<Worker> settled) {

    ModelJob from() {
      return before.job();
    }

    ModelJob to() {
      return next.job();
    }
  }

  /** What every step must keep. */
  private record Promise(String text, Predicate<Step> kept) {}

  private static final List<Promise> PROMISES =
      List.of(
          new Promise(
              "JobState allows no such change",
              s ->
                  s.from().state() == s.to().state() || s.from().state().mayBecome(s.to().state())),
          new Promise(
              "only a redrive leaves a final state",
              s ->
                  !s.from().state().isFinal()
                      || s.from().equals(s.to())
                      || s.name().equals("redrive")),
          new Promise(
              "a job has a token while it is leased, and only then",
              s -> s.to().isLeased() == s.to().token() > 0),
          new Promise(
              "a token is granted once",
              s -> !s.to().isLeased() || s.from().isLeased() || s.to().token() > s.from().newest()),
          new Promise(
              "a settlement that is accepted has the newest token",
              s -> s.settled().stream().allMatch(by -> by.token() == s.from().newest())),
          new Promise(
              "one settlement is accepted with a token",
              s -> s.settled().isEmpty() || !s.before().accepted()),
          new Promise(
              "what is being cancelled succeeds only if its handler did",
              s ->
                  s.from().state() != JobState.CANCELLING
                      || s.to().state() != JobState.SUCCEEDED
                      || s.settled().orElseThrow().decided() instanceof Outcome.Succeeded),
          new Promise(
              "no more attempts than it may, those apart whose worker died",
              s -> s.to().attempt() - s.to().recoveries() <= s.to().maxAttempts()),
          new Promise("at most three recoveries", s -> s.to().recoveries() <= 3),
          new Promise(
              "a job with a concurrency key runs only with a slot of it",
              s -> !s.to().isLeased() || s.to().limit() == 0 || s.to().slot()),
          new Promise("no slot outlives its job", s -> !s.to().state().isFinal() || !s.to().slot()),
          new Promise(
              "with a limit of 1 a slot is kept from the first start to the end",
              s ->
                  s.from().limit() != 1
                      || !s.from().isLeased()
                      || s.to().state().isFinal()
                      || s.to().slot()),
          new Promise(
              "a job ends once, and once more for each redrive",
              s -> s.next().ends() <= 1 + s.next().redrives()));

  /** How a world was reached first. */
  private record Origin(Optional<World> from, String step) {}

  static Stream<Arguments> submissions() {
    return Stream.of(1, 2, 3)
        .flatMap(
            attempts ->
                Stream.of(StartBy.NONE, StartBy.AHEAD)
                    .flatMap(
                        by ->
                            Stream.of(0, 1, 2)
                                .filter(
                                    limit -> limit == 0 || (attempts == 2 && by == StartBy.NONE))
                                .map(limit -> Arguments.of(attempts, by, limit))));
  }

  @ParameterizedTest(name = "of a job of {0} attempts, startBy {1}, limit {2}")
  @MethodSource("submissions")
  void noOrderOfEventsBreaksThePromisesOfALease(int maxAttempts, StartBy startBy, int limit) {
    int worlds = explore(new LeaseRules(), maxAttempts, startBy, limit);
    log.info(
        "{} worlds of a job of {} attempts, startBy {}, limit {}",
        worlds,
        maxAttempts,
        startBy,
        limit);
    assertThat(worlds).isGreaterThan(1_000);
  }

  @Test
  void withoutTheFenceAZombieSettles() {
    assertCaught(
        new LeaseRules() {
          @Override
          boolean isHeld(ModelJob job, int token) {
            return job.isLeased();
          }
        },
        "has the newest token");
  }

  @Test
  void aTokenThatOutlivesItsLeaseIsGrantedTwice() {
    assertCaught(
        new LeaseRules() {
          @Override
          int nextToken(ModelJob job) {
            return Math.max(1, job.newest());
          }
        },
        "a token is granted once");
  }

  @Test
  void aCancelThatARetryForgetsIsNoCancel() {
    assertCaught(
        new LeaseRules() {
          @Override
          JobState settled(ModelJob job, SettledRow row) {
            return row.outcome().equals("retry") ? JobState.RETRYING : super.settled(job, row);
          }
        },
        "JobState allows no such change");
  }

  @Test
  void aRecoveryThatIsNotCountedUsesUpAttempts() {
    assertCaught(
        new LeaseRules() {
          @Override
          ModelJob expire(ModelJob job) {
            return super.expire(job).recoveries(job.recoveries());
          }
        },
        "no more attempts than it may");
  }

  @Test
  void aLeaseThatNeverExpiresIsADeadEnd() {
    assertCaught(
        new LeaseRules() {
          @Override
          ModelJob expire(ModelJob job) {
            return job;
          }
        },
        "no final state can be reached");
  }

  @Test
  void aClaimThatTakesFromTheLineRunsWithoutASlot() {
    assertCaught(
        new LeaseRules() {
          @Override
          boolean isReady(ModelJob job) {
            return job.state() == JobState.QUEUED;
          }
        },
        "runs only with a slot");
  }

  @Test
  void aSlotThatIsGivenUpForARetryLetsOthersPass() {
    assertCaught(
        new LeaseRules() {
          @Override
          boolean keepsSlot(ModelJob job) {
            return false;
          }
        },
        "from the first start to the end");
  }

  private static void assertCaught(LeaseRules broken, String promise) {
    assertThatThrownBy(() -> explore(broken, 2, StartBy.NONE, 1)).hasMessageContaining(promise);
  }

  /** Visits every world, breadth first, so that what leads to a broken promise is short. */
  private static int explore(LeaseRules rules, int maxAttempts, StartBy startBy, int limit) {
    Map<World, Origin> seen = new HashMap<>();
    Map<World, List<World>> cameFrom = new HashMap<>();
    Deque<World> open = new ArrayDeque<>();
    for (JobState state : List.of(JobState.SCHEDULED, JobState.BLOCKED, JobState.QUEUED)) {
      ModelJob job = ModelJob.submitted(state, maxAttempts, startBy, limit);
      World first = new World(job, List.of(Worker.IDLE, Worker.IDLE), false, 0, 0);
      seen.put(first, new Origin(Optional.empty(), "submit"));
      open.add(first);
    }
    while (!open.isEmpty()) {
      World world = open.remove();
      for (Step step : steps(rules, world, maxAttempts)) {
        requireKept(seen, step);
        World next = step.next().canonical();
        cameFrom.computeIfAbsent(next, _ -> new ArrayList<>()).add(world);
        if (seen.putIfAbsent(next, new Origin(Optional.of(world), step.name())) == null) {
          open.add(next);
        }
      }
      assertThat(seen).as("the worlds never end").hasSizeLessThan(MAX_WORLDS);
    }
    requireNoDeadEnd(seen, cameFrom);
    return seen.size();
  }

  private static void requireKept(Map<World, Origin> seen, Step step) {
    PROMISES.stream()
        .filter(promise -> !promise.kept().test(step))
        .findFirst()
        .ifPresent(
            promise -> {
              throw new AssertionError(
                  "broken: %s\n%s%s -> %s"
                      .formatted(
                          promise.text(), trace(seen, step.before()), step.name(), step.next()));
            });
  }

  private static List<Step> steps(LeaseRules rules, World world, int policyAttempts) {
    List<Step> steps = new ArrayList<>();
    ModelJob job = world.job();
    for (int i = 0; i < world.workers().size(); i++) {
      addSteps(steps, rules, world, i);
    }
    add(steps, world, "expire", world.job(rules.expire(job)));
    add(steps, world, "become ready", world.job(rules.becomeReady(job)));
    add(steps, world, "come out of the line", world.job(rules.promote(job)));
    add(steps, world, "predecessor succeeds", world.job(rules.resolve(job, true)));
    add(steps, world, "predecessor fails", world.job(rules.resolve(job, false)));
    add(steps, world, "cancel", world.job(rules.cancel(job)));
    if (job.startBy() == StartBy.AHEAD) {
      add(steps, world, "startBy passes", world.job(job.startBy(StartBy.PASSED)));
    }
    add(steps, world, "miss the start", world.job(rules.missStart(job)));
    if (world.redrives() < MAX_REDRIVES) {
      add(steps, world, "redrive", world.job(rules.redrive(job, policyAttempts)));
    }
    return steps;
  }

  private static void addSteps(List<Step> steps, LeaseRules rules, World world, int index) {
    Worker worker = world.workers().get(index);
    ModelJob job = world.job();
    World crashed = world.worker(index, Worker.IDLE);
    if (worker.token() == 0) {
      ModelJob claimed = rules.claim(job, job.recoveries() > 0);
      World heard = world.job(claimed);
      if (claimed.isLeased() && !job.isLeased()) {
        heard = heard.worker(index, Worker.of(claimed));
      }
      add(steps, world, "claim", heard);
      add(steps, world, "claim, and crash", world.job(claimed));
      return;
    }
    add(steps, world, "crash, or hear that the lease is lost", crashed);
    if (rules.isHeld(job, worker.token())) {
      add(steps, world, "start again", crashed.job(rules.expire(job)));
    }
    Outcome decided = worker.decided();
    if (decided == null) {
      OUTCOMES.forEach(o -> add(steps, world, "end", world.worker(index, worker.decided(o))));
      return;
    }
    ModelJob settled =
        rules.settle(job, worker.token(), Leases.row(worker.lease().held(), decided, ACCOUNT));
    Optional<Worker> by = settled.equals(job) ? Optional.empty() : Optional.of(worker);
    add(steps, world, "settle", crashed.job(settled), by);
    add(steps, world, "settle, and hear no answer", world.job(settled), by);
  }

  private static void add(List<Step> steps, World before, String name, World next) {
    add(steps, before, name, next, Optional.empty());
  }

  private static void add(
      List<Step> steps, World before, String name, World next, Optional<Worker> settled) {
    if (!next.equals(before)) {
      steps.add(new Step(before, name, next.after(before, settled.isPresent()), settled));
    }
  }

  private static String trace(Map<World, Origin> seen, World world) {
    Deque<String> way = new ArrayDeque<>();
    Optional<World> at = Optional.of(world);
    while (at.isPresent()) {
      Origin origin = Objects.requireNonNull(seen.get(at.get()));
      way.push(origin.step() + " -> " + at.get() + "\n");
      at = origin.from();
    }
    return String.join("", way);
  }

  private static void requireNoDeadEnd(Map<World, Origin> seen, Map<World, List<World>> cameFrom) {
    Set<World> ending = new HashSet<>();
    Deque<World> open = new ArrayDeque<>();
    seen.keySet().stream().filter(world -> world.job().state().isFinal()).forEach(open::add);
    while (!open.isEmpty()) {
      World world = open.remove();
      if (ending.add(world)) {
        open.addAll(cameFrom.getOrDefault(world, List.of()));
      }
    }
    seen.keySet().stream()
        .filter(world -> !ending.contains(world))
        .findAny()
        .ifPresent(
            world -> {
              throw new AssertionError("no final state can be reached:\n" + trace(seen, world));
            });
  }
}
