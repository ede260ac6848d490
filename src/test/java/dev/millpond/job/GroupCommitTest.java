package dev.millpond.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;

@Timeout(10)
class GroupCommitTest {

  private final List<List<Integer>> groups = new CopyOnWriteArrayList<>();

  /** The writer meets the test here before and after each group, once it is {@link #gated}. */
  private final CyclicBarrier gate = new CyclicBarrier(2);

  private volatile boolean gated;

  private GroupCommit<Integer, String> writer(
      int maxWaiting, int maxRows, Function<Integer, String> write) {
    return new GroupCommit<>(
        "test",
        maxWaiting,
        maxRows,
        item -> 1,
        group -> {
          groups.add(group);
          if (gated) {
            meet();
          }
          return group.stream().map(write).toList();
        });
  }

  private void meet() {
    try {
      gate.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aSingleItemWaitsForNobody() throws Exception {
    try (GroupCommit<Integer, String> writer = writer(10, 10, item -> "row " + item)) {
      assertThat(writer.add(1).get()).isEqualTo("row 1");
    }
    assertThat(groups).containsExactly(List.of(1));
  }

  @Test
  void whatArrivesDuringACommitIsTheNextGroupAndEachGetsItsOwnAnswer() throws Exception {
    gated = true;
    try (GroupCommit<Integer, String> writer = writer(10, 10, item -> "row " + item)) {
      CompletableFuture<String> first = writer.add(0);
      meetGroup(1);
      List<CompletableFuture<String>> others = IntStream.range(1, 5).mapToObj(writer::add).toList();
      gated = false;
      meet();
      assertThat(first.get()).isEqualTo("row 0");
      for (int i = 0; i < others.size(); i++) {
        assertThat(others.get(i).get()).isEqualTo("row " + (i + 1));
      }
    }
    assertThat(groups).containsExactly(List.of(0), List.of(1, 2, 3, 4));
  }

  /** Waits until the writer has taken its n-th group. */
  private void meetGroup(int n) {
    while (groups.size() < n) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aGroupEndsWhenItIsFull() throws Exception {
    gated = true;
    try (GroupCommit<Integer, String> writer = writer(10, 2, item -> "row " + item)) {
      List<CompletableFuture<String>> all = new ArrayList<>(List.of(writer.add(0)));
      meetGroup(1);
      IntStream.range(1, 6).mapToObj(writer::add).forEach(all::add);
      gated = false;
      meet();
      CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
    }
    assertThat(groups).containsExactly(List.of(0), List.of(1, 2), List.of(3, 4), List.of(5));
  }

  @Test
  void oneBadRowDoesNotFailItsNeighbours() throws Exception {
    gated = true;
    Function<Integer, String> write =
        item -> {
          if (item == 2) {
            throw new DataIntegrityViolationException("row 2");
          }
          return "row " + item;
        };
    try (GroupCommit<Integer, String> writer = writer(10, 10, write)) {
      var _ = writer.add(0);
      meetGroup(1);
      CompletableFuture<String> good = writer.add(1);
      CompletableFuture<String> bad = writer.add(2);
      gated = false;
      meet();
      assertThat(good.get()).isEqualTo("row 1");
      assertThatThrownBy(bad::get)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(DataIntegrityViolationException.class);
    }
  }

  @Test
  void aBrokenConnectionFailsTheGroupWithoutASecondTry() {
    gated = true;
    Function<Integer, String> write =
        item -> {
          throw new DataAccessResourceFailureException("broken");
        };
    try (GroupCommit<Integer, String> writer = writer(10, 10, write)) {
      var _ = writer.add(0);
      meetGroup(1);
      CompletableFuture<String> first = writer.add(1);
      CompletableFuture<String> second = writer.add(2);
      gated = false;
      meet();
      assertThatThrownBy(first::get).hasCauseInstanceOf(DataAccessResourceFailureException.class);
      assertThatThrownBy(second::get).hasCauseInstanceOf(DataAccessResourceFailureException.class);
    }
    assertThat(groups).as("what may have been committed is not written again").hasSize(2);
  }

  @Test
  void anErrorDoesNotEndTheWriter() throws Exception {
    Function<Integer, String> write =
        item -> {
          if (item == 0) {
            throw new OutOfMemoryError("test");
          }
          return "row " + item;
        };
    try (GroupCommit<Integer, String> writer = writer(10, 10, write)) {
      assertThatThrownBy(writer.add(0)::get).hasCauseInstanceOf(OutOfMemoryError.class);
      assertThat(writer.add(1).get()).isEqualTo("row 1");
    }
  }

  @Test
  void whileTheDatabaseIsAwayThoseWhoWaitFailWithTheFirst() {
    gated = true;
    Function<Integer, String> write =
        item -> {
          throw new CannotGetJdbcConnectionException("away");
        };
    try (GroupCommit<Integer, String> writer = writer(10, 10, write)) {
      CompletableFuture<String> first = writer.add(1);
      meetGroup(1);
      CompletableFuture<String> second = writer.add(2);
      gated = false;
      meet();
      assertThatThrownBy(first::get).hasCauseInstanceOf(CannotGetJdbcConnectionException.class);
      assertThatThrownBy(second::get).hasCauseInstanceOf(CannotGetJdbcConnectionException.class);
    }
    assertThat(groups).hasSize(1);
  }

  @Test
  void moreThanMayWaitAreRefusedAndAWithdrawnItemIsNotWritten() throws Exception {
    gated = true;
    try (GroupCommit<Integer, String> writer = writer(1, 10, item -> "row " + item)) {
      CompletableFuture<String> first = writer.add(0);
      meetGroup(1);
      CompletableFuture<String> second = writer.add(1);
      assertThatThrownBy(() -> writer.add(2)).isInstanceOf(IllegalStateException.class);
      assertThat(writer.withdraw(second)).isTrue();
      assertThat(writer.withdraw(first)).isFalse();
      gated = false;
      meet();
      assertThat(first.get()).isEqualTo("row 0");
    }
    assertThat(groups).containsExactly(List.of(0));
  }
}
