package dev.millpond.rest;

import dev.millpond.admission.DependsOn.Known;
import dev.millpond.admission.DependsOn.Predecessor;
import dev.millpond.admission.DependsOn.Ref;
import dev.millpond.admission.Submission;
import dev.millpond.rest.SubmissionReader.Candidate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the jobs of a batch say of each other: a name is given once, each name that is used is
 * given, nobody waits for itself, and nobody for a job that is refused.
 */
final class BatchRefs {

  /** All that the jobs of a batch wait for: written in the commit of the batch. */
  static final int MAX_LINKS = 20_000;

  private final List<Candidate> candidates;
  private final Map<String, Integer> places = new HashMap<>();
  private final Map<Integer, List<FieldError>> errors = new HashMap<>();

  private BatchRefs(List<Candidate> candidates) {
    this.candidates = candidates;
  }

  /** The candidates, those marked as bad whose names and predecessors are not sound. */
  static List<Candidate> check(List<Candidate> candidates) {
    return new BatchRefs(candidates).checked();
  }

  /** The candidates, those marked as bad that wait for a job which is not there. */
  static List<Candidate> withoutGone(List<Candidate> candidates, Set<UUID> gone) {
    BatchRefs refs = new BatchRefs(candidates);
    refs.each((place, index, predecessor) -> refs.findGone(place, index, predecessor, gone));
    return check(refs.marked());
  }

  /** What is wrong with a single job that waits for others which are not there. */
  static List<FieldError> gone(Submission job, Set<UUID> gone) {
    BatchRefs refs = new BatchRefs(List.of(new Candidate.Good(job)));
    refs.each((place, index, predecessor) -> refs.findGone(place, index, predecessor, gone));
    return refs.errors.getOrDefault(0, List.of()).stream()
        .map(error -> FieldError.at(error.place().substring("/jobs/0".length()), error.detail()))
        .toList();
  }

  private void findGone(int place, int index, Predecessor predecessor, Set<UUID> gone) {
    if (predecessor instanceof Known(UUID id) && gone.contains(id)) {
      error(place, index, Refusals.GONE);
    }
  }

  private List<Candidate> checked() {
    if (candidates.stream().allMatch(BatchRefs::isAlone)) {
      return candidates;
    }
    int links = 0;
    for (int place = 0; place < candidates.size(); place++) {
      String ref = ref(candidates.get(place));
      Integer first = ref == null ? null : places.putIfAbsent(ref, place);
      if (first != null) {
        add(place, "/ref", "is the ref of /jobs/" + first + " already");
      }
      links += predecessors(place).size();
      if (links > MAX_LINKS) {
        add(place, "/dependsOn", "the jobs of a batch name at most " + MAX_LINKS + " others");
        return marked();
      }
    }
    each(this::findUnknown);
    findCycles();
    findRefused();
    return marked();
  }

  private static boolean isAlone(Candidate candidate) {
    return switch (candidate) {
      case Candidate.Good(Submission job) ->
          job.dependsOn().ref() == null && job.dependsOn().predecessors().isEmpty();
      case Candidate.Bad bad -> bad.ref() == null;
    };
  }

  private static @Nullable String ref(Candidate candidate) {
    return switch (candidate) {
      case Candidate.Good(Submission job) -> job.dependsOn().ref();
      case Candidate.Bad bad -> bad.ref();
    };
  }

  private List<Predecessor> predecessors(int place) {
    return candidates.get(place) instanceof Candidate.Good(Submission job)
        ? job.dependsOn().predecessors()
        : List.of();
  }

  private void findUnknown(int place, int index, Predecessor predecessor) {
    if (predecessor instanceof Ref(String name)) {
      Integer named = places.get(name);
      if (named == null) {
        error(place, index, "is neither the id of a job nor the ref of one in this batch");
      } else if (named == place) {
        error(place, index, "is the job itself");
      } else if (candidates.get(named) instanceof Candidate.Good(Submission job)
          && job.unique() != null) {
        error(
            place,
            index,
            "is the ref of a job with a unique key: another one may be there instead, which only"
                + " its id names");
      }
    }
  }

  /** Goes down each way once, without recursion: a chain may be as long as the batch. */
  private void findCycles() {
    Set<Integer> open = new HashSet<>();
    Set<Integer> done = new HashSet<>();
    for (int start = 0; start < candidates.size(); start++) {
      List<int[]> way = new ArrayList<>();
      if (done.add(start)) {
        open.add(start);
        way.add(new int[] {start, 0});
      }
      while (!way.isEmpty()) {
        int[] at = way.getLast();
        List<Predecessor> next = predecessors(at[0]);
        if (at[1] == next.size()) {
          open.remove(at[0]);
          way.removeLast();
          continue;
        }
        int index = at[1]++;
        Integer place = next.get(index) instanceof Ref(String name) ? places.get(name) : null;
        if (place != null && place != at[0] && open.contains(place)) {
          error(at[0], index, "closes a cycle: /jobs/" + place + " waits for this job");
        } else if (place != null && done.add(place)) {
          open.add(place);
          way.add(new int[] {place, 0});
        }
      }
    }
  }

  /** Who waits for a job that is refused is refused, and so is who waits for that one. */
  private void findRefused() {
    Map<Integer, List<int[]>> waiting = new HashMap<>();
    each(
        (place, index, predecessor) -> {
          if (predecessor instanceof Ref(String name) && places.get(name) != null) {
            waiting
                .computeIfAbsent(places.get(name), _ -> new ArrayList<>())
                .add(new int[] {place, index});
          }
        });
    List<Integer> refused = new ArrayList<>();
    for (int place = 0; place < candidates.size(); place++) {
      if (candidates.get(place) instanceof Candidate.Bad || errors.containsKey(place)) {
        refused.add(place);
      }
    }
    for (int i = 0; i < refused.size(); i++) {
      for (int[] at : waiting.getOrDefault(refused.get(i), List.of())) {
        if (!errors.containsKey(at[0])) {
          error(at[0], at[1], "is the ref of /jobs/" + refused.get(i) + ", which is refused");
          refused.add(at[0]);
        }
      }
    }
  }

  private interface Reader {
    void read(int place, int index, Predecessor predecessor);
  }

  private void each(Reader reader) {
    for (int place = 0; place < candidates.size(); place++) {
      List<Predecessor> predecessors = predecessors(place);
      for (int index = 0; index < predecessors.size(); index++) {
        reader.read(place, index, predecessors.get(index));
      }
    }
  }

  private void error(int place, int index, String detail) {
    add(place, "/dependsOn/" + index, detail);
  }

  private void add(int place, String below, String detail) {
    List<FieldError> those = errors.computeIfAbsent(place, _ -> new ArrayList<>());
    if (those.size() < StrictJson.MAX_ERRORS) {
      those.add(FieldError.at("/jobs/" + place + below, detail));
    }
  }

  private List<Candidate> marked() {
    List<Candidate> all = new ArrayList<>(candidates);
    errors.forEach(
        (place, those) -> {
          if (candidates.get(place) instanceof Candidate.Bad bad) {
            List<FieldError> both = new ArrayList<>(bad.errors());
            both.addAll(those);
            all.set(place, new Candidate.Bad(both, false, bad.ref()));
          } else {
            all.set(place, new Candidate.Bad(those, false, ref(candidates.get(place))));
          }
        });
    return all;
  }
}
