package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import jakarta.servlet.FilterChain;
import org.junit.jupiter.api.Test;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

/** All bodies together stay within the room for them. */
class BodyRoomTest {

  private final BodyRoom room = new BodyRoom();

  @Test
  void whatIsTakenIsGivenBackWithTheAnswer() throws Exception {
    MockHttpServletRequest first = new MockHttpServletRequest();
    MockHttpServletRequest second = new MockHttpServletRequest();
    during(
        first,
        () -> {
          BodyRoom.take(first, BodyRoom.BYTES - 10);
          during(
              second,
              () -> {
                BodyRoom.take(second, 10);
                ProblemDocument refused =
                    catchThrowableOfType(ProblemException.class, () -> BodyRoom.take(second, 1))
                        .document();
                assertThat(refused.type()).isEqualTo("/problems/overloaded");
                assertThat(refused.headers()).containsKeys("Retry-After", "Connection");
              });
        });
    MockHttpServletRequest third = new MockHttpServletRequest();
    during(third, () -> BodyRoom.take(third, BodyRoom.BYTES));
  }

  @Test
  void whoWaitsWithABodyLeavesHalfOfTheRoom() throws Exception {
    MockHttpServletRequest request = new MockHttpServletRequest();
    during(
        request,
        () -> {
          BodyRoom.take(request, BodyRoom.BYTES / 2);
          assertThat(BodyRoom.isHalfFree(request)).isTrue();
          BodyRoom.take(request, 1);
          assertThat(BodyRoom.isHalfFree(request)).isFalse();
        });
  }

  private interface Step {
    void run() throws Exception;
  }

  private void during(MockHttpServletRequest request, Step step) throws Exception {
    FilterChain chain =
        (_, _) -> {
          try {
            step.run();
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        };
    room.doFilter(request, new MockHttpServletResponse(), chain);
  }
}
