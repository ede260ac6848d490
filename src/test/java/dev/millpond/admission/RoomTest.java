package dev.millpond.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.admission.Room.Sums;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** Nodes that share a pool, and the books that the database would keep of them. */
class RoomTest {

  private static final Duration TURN = Duration.ofMillis(200);

  private final List<Member> nodes = new ArrayList<>();
  private int cap = 1_000;
  private long now;

  /** A node's room, and its account: what was granted and what waits through it. */
  private final class Member {

    private final Room room = new Room();
    private int granted;
    private int waiting;

    Member() {
      nodes.add(this);
    }

    private void balance(int wanted) {
      int held = nodes.stream().mapToInt(node -> Math.max(0, node.granted - node.waiting)).sum();
      int free = cap - depth() - held;
      int elsewhere = depth() - waiting;
      int taken =
          room.plan(
              new Sums(free, elsewhere, elsewhere, granted - waiting, nodes.size()), cap, wanted);
      granted += taken;
      room.granted(cap, now);
    }

    private boolean admit(int jobs) {
      for (int i = 0; i < 3; i++) {
        if (room.take(jobs, jobs, cap)) {
          waiting += jobs;
          return true;
        }
        boolean known = nodes.size() == 1 || !room.isOlderThan(TURN, now);
        if (known && room.isFull(jobs, cap)) {
          return false;
        }
        balance(jobs);
      }
      return false;
    }

    private void claim(int jobs) {
      room.change(-jobs, -jobs);
      waiting -= jobs;
    }

    private void comesBack(int jobs) {
      room.change(jobs, jobs);
      waiting += jobs;
    }
  }

  private int depth() {
    return nodes.stream().mapToInt(node -> node.waiting).sum();
  }

  private void turn() {
    now += TURN.toNanos() + 1;
    nodes.forEach(
        node -> {
          if (node.room.isDue(TURN, cap, nodes.size() > 1, now)) {
            node.balance(0);
          }
        });
  }

  @Test
  void oneNodeFillsTheCapExactly() {
    Member node = new Member();
    int admitted = 0;
    while (node.admit(1)) {
      admitted++;
    }
    assertThat(admitted).isEqualTo(1_000);
    node.claim(3);
    assertThat(node.admit(3)).as("what a claim frees").isTrue();
    assertThat(node.admit(1)).isFalse();
  }

  @Test
  void aNodeThatOnlySubmitsFindsTheRoomThatAnotherOneMakes() {
    Member accepts = new Member();
    Member works = new Member();
    for (int i = 0; i < 1_000; i++) {
      accepts.admit(1);
      turn();
    }
    assertThat(depth()).isEqualTo(1_000);
    assertThat(accepts.admit(1)).isFalse();
    works.claim(100);
    turn();
    int admitted = 0;
    for (int i = 0; i < 20; i++) {
      while (accepts.admit(1)) {
        admitted++;
      }
      turn();
    }
    assertThat(admitted).isBetween(95, 100);
  }

  @Test
  void anIdleNodeKeepsNextToNothing() {
    Member idle = new Member();
    Member busy = new Member();
    idle.admit(1);
    turn();
    turn();
    turn();
    assertThat(busy.admit(990)).isTrue();
  }

  @Test
  void aLowerCapHoldsAtOnceAndTakesBackWhatIsHeld() {
    Member node = new Member();
    node.admit(10);
    cap = 5;
    assertThat(node.admit(1)).isFalse();
    node.claim(6);
    assertThat(node.admit(1)).isTrue();
    assertThat(node.admit(1)).isFalse();
  }

  @Test
  void whatComesBackTakesTheRoomOfWhatWouldCome() {
    Member node = new Member();
    node.admit(1_000);
    node.claim(10);
    node.comesBack(20);
    assertThat(depth()).isEqualTo(1_010);
    node.claim(10);
    assertThat(node.admit(1)).isFalse();
    node.claim(1);
    assertThat(node.admit(1)).isTrue();
  }

  @Test
  void whatIsAboutToBeWrittenIsNotForgivenAsADebt() {
    cap = 10;
    Member node = new Member();
    node.admit(8);
    assertThat(node.admit(2)).isTrue();
    node.waiting -= 2; // not committed yet
    node.comesBack(1);
    node.balance(0);
    node.waiting += 2;
    assertThat(depth()).isEqualTo(11);
    node.claim(1);
    assertThat(node.admit(1)).as("ten wait").isFalse();
    node.claim(1);
    assertThat(node.admit(1)).isTrue();
  }

  /** Whatever happens in whatever order: the promise, and that it costs next to no room. */
  @RepeatedTest(50)
  void noOrderOfThingsLiftsTheDepthAboveTheCap(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    int size = 1 + random.nextInt(5);
    for (int i = 0; i < size; i++) {
      new Member();
    }
    int cameBack = 0;
    for (int step = 0; step < 5_000; step++) {
      Member node = nodes.get(random.nextInt(size));
      int jobs = 1 + random.nextInt(5);
      switch (random.nextInt(6)) {
        case 0, 1, 2 -> {
          int before = depth();
          boolean admitted = node.admit(jobs);
          assertThat(admitted && before + jobs > cap + cameBack).isFalse();
        }
        case 3 -> node.claim(Math.min(jobs, depth()));
        case 4 -> turn();
        default -> {
          if (random.nextInt(20) == 0) {
            node.comesBack(jobs);
            cameBack += jobs;
          }
        }
      }
      assertThat(depth()).isLessThanOrEqualTo(cap + cameBack);
    }
  }
}
