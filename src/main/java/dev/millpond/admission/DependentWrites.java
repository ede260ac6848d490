package dev.millpond.admission;

import static java.util.stream.Collectors.toSet;

import dev.millpond.admission.Write.Outcome;
import dev.millpond.admission.Write.Result;
import dev.millpond.dependency.Dependencies;
import dev.millpond.dependency.Held;
import dev.millpond.dependency.Link;
import dev.millpond.queue.JobsDelayed;
import dev.millpond.queue.JobsReady;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionStatus;

/**
 * Writes jobs that wait for others, and what they wait for, in one transaction. It holds the
 * predecessors first, then looks which have ended: one that had not cannot end before the commit,
 * and its end will find who waits for it. So no job waits for an end that has been.
 *
 * <p>Unique keys are taken in the same transaction, behind the predecessors: who ends a job lets go
 * of its key when it has its row.
 */
@Component
final class DependentWrites {

  /** A predecessor that is claimed or given back meanwhile can seldom be held at the first try. */
  private static final int TRIES = 20;

  private final Uniqueness jobs;
  private final Dependencies dependencies;
  private final WriteTransaction transaction;
  private final ApplicationEventPublisher events;

  DependentWrites(
      Uniqueness jobs,
      Dependencies dependencies,
      WriteTransaction transaction,
      ApplicationEventPublisher events) {
    this.jobs = jobs;
    this.dependencies = dependencies;
    this.transaction = transaction;
    this.events = events;
  }

  /**
   * Writes a group, and answers what became of each.
   *
   * @throws org.springframework.dao.CannotAcquireLockException if the group cannot be written
   *     together: nothing was
   */
  List<Outcome> write(List<Write> writes) {
    for (int i = 0; i < TRIES; i++) {
      Optional<Done> done = transaction.execute(status -> tryOnce(writes, status));
      if (done != null && done.isPresent()) {
        announce(done.get().held());
        return done.get().outcomes();
      }
    }
    return writes.stream().map(_ -> nothing(Result.PREDECESSORS_MOVING, Set.of())).toList();
  }

  private static Outcome nothing(Result result, Set<UUID> gone) {
    return new Outcome(result, List.of(), List.of(), gone);
  }

  /** What was written while these predecessors were held. */
  private record Done(List<Outcome> outcomes, Held held) {}

  private Optional<Done> tryOnce(List<Write> writes, TransactionStatus status) {
    Set<UUID> own = writes.stream().flatMap(DependentWrites::ids).collect(toSet());
    Set<UUID> others =
        writes.stream()
            .flatMap(write -> write.entries().stream())
            .flatMap(entry -> entry.predecessors().stream())
            .filter(id -> !own.contains(id))
            .collect(toSet());
    Optional<Done> done =
        dependencies.hold(others).map(held -> new Done(write(writes, held), held));
    if (done.isEmpty()
        || done.get().outcomes().stream().noneMatch(one -> one.result() == Result.WRITTEN)) {
      status.setRollbackOnly();
    }
    return done;
  }

  private List<Outcome> write(List<Write> writes, Held held) {
    List<Set<UUID>> gone = writes.stream().map(write -> gone(write, held)).toList();
    List<Write> sound =
        IntStream.range(0, writes.size())
            .filter(n -> gone.get(n).isEmpty())
            .mapToObj(n -> counted(writes.get(n), held))
            .toList();
    List<Outcome> outcomes = sound.isEmpty() ? List.of() : jobs.write(sound);
    List<Link> links =
        outcomes.stream()
            .flatMap(outcome -> outcome.written().stream())
            .flatMap(entry -> links(entry, held).stream())
            .toList();
    if (!links.isEmpty()) {
      dependencies.link(links);
    }
    var next = outcomes.iterator();
    return gone.stream()
        .map(ids -> ids.isEmpty() ? next.next() : nothing(Result.PREDECESSORS_GONE, ids))
        .toList();
  }

  private static Set<UUID> gone(Write write, Held held) {
    Set<UUID> own = ids(write).collect(toSet());
    return write.entries().stream()
        .flatMap(entry -> entry.predecessors().stream())
        .filter(id -> !own.contains(id) && !held.isThere(id))
        .collect(toSet());
  }

  /** The same, each job knowing how many of its predecessors it waits for. */
  private static Write counted(Write write, Held held) {
    List<Entry> entries =
        write.entries().stream()
            .map(
                entry ->
                    entry.missing(
                        (int) links(entry, held).stream().filter(Link::isAwaited).count()))
            .toList();
    return new Write(write.account(), entries, write.key(), write.whole());
  }

  private static Stream<UUID> ids(Write write) {
    return write.entries().stream().map(Entry::id);
  }

  private static List<Link> links(Entry entry, Held held) {
    return IntStream.range(0, entry.predecessors().size())
        .mapToObj(
            place -> {
              UUID predecessor = entry.predecessors().get(place);
              return new Link(
                  entry.id(),
                  predecessor,
                  place,
                  entry.job().dependsOn().runAnyway(),
                  held.ended().get(predecessor));
            })
        .toList();
  }

  /** Who came for a predecessor meanwhile has passed over it. */
  private void announce(Held held) {
    if (!held.passedOver().isEmpty()) {
      events.publishEvent(new JobsReady(held.passedOver(), false));
      events.publishEvent(new JobsDelayed(Duration.ZERO));
    }
  }
}
