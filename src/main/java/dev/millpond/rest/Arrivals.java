package dev.millpond.rest;

import dev.millpond.admission.JobStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The lines of one stream between the thread that reads them and the one that has them admitted. It
 * never waits to fill a group: whatever arrived while the last one was committed is the next one.
 */
final class Arrivals {

  /** As many as the writer puts into one commit. */
  private static final int GROUP = 1_000;

  /** As many again, so that a commit need not wait for the reader. */
  private static final int MOST = 2 * GROUP;

  /** What a job takes beside its payload, and what a problem does; roughly. */
  private static final int JOB = 128;

  private static final int PROBLEM = 2 * 1024;

  private final int mostBytes;

  /** All guarded by this. */
  private final Deque<Arrival> arrived = new ArrayDeque<>();

  /** Of what arrived, and of the group that is being settled. */
  private int bytes;

  private int unsettled;
  private boolean ended;

  /**
   * @param mostBytes how many bytes of lines are held at most, if it is more than one line
   */
  Arrivals(int mostBytes) {
    this.mostBytes = mostBytes;
  }

  /**
   * A line that was read.
   *
   * @param job null if it is none, for the reason that the problem tells
   */
  record Arrival(
      long line, int bytes, JobStream.@Nullable Line job, @Nullable ProblemDocument problem) {

    static Arrival good(long line, int bytes, JobStream.Line job) {
      return new Arrival(line, bytes + JOB, job, null);
    }

    static Arrival bad(long line, ProblemDocument problem) {
      return new Arrival(line, PROBLEM, null, problem);
    }

    ProblemDocument refusal() {
      return Objects.requireNonNull(problem);
    }
  }

  /** Adds a line as soon as there is room for it; false if it is not wanted any more. */
  synchronized boolean add(Arrival arrival) throws InterruptedException {
    while (!ended && unsettled > 0 && (unsettled >= MOST || bytes + arrival.bytes() > mostBytes)) {
      wait();
    }
    if (!ended) {
      arrived.add(arrival);
      unsettled++;
      bytes += arrival.bytes();
      notifyAll();
    }
    return !ended;
  }

  /** What has arrived, as soon as something has; empty at the end. */
  synchronized List<Arrival> take() throws InterruptedException {
    while (arrived.isEmpty() && !ended) {
      wait();
    }
    List<Arrival> group = new ArrayList<>();
    while (group.size() < GROUP && !arrived.isEmpty()) {
      group.add(arrived.remove());
    }
    return group;
  }

  /** Each line of a group has its verdict. */
  synchronized void settled(List<Arrival> group) {
    unsettled -= group.size();
    bytes -= group.stream().mapToInt(Arrival::bytes).sum();
    notifyAll();
  }

  /** Whether a line has no verdict yet. */
  synchronized boolean isUnsettled() {
    return unsettled > 0;
  }

  /** Whether nothing has arrived that is not being settled. */
  synchronized boolean isEmpty() {
    return arrived.isEmpty();
  }

  /** No more come. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** No more come, and what has arrived is dropped. */
  synchronized void abort() {
    arrived.clear();
    end();
  }
}
