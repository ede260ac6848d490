package dev.millpond;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.springframework.modulith.ApplicationModule;
import org.springframework.modulith.core.ApplicationModules;
import org.springframework.modulith.core.Violations;

/** The arrows between the rooms, as each package-info allows them. */
class ModularityTest {

  private static final ApplicationModules ROOMS = ApplicationModules.of(Millpond.class);

  @Test
  void roomsCallOnlyTheRoomsThatTheyMay() {
    ROOMS.verify();
  }

  @Test
  void eachRoomSaysWhomItMayCall() {
    // Without the list a room may call every other.
    assertThat(ROOMS.stream())
        .isNotEmpty()
        .allSatisfy(
            room ->
                assertThat(room.getBasePackage().getAnnotation(ApplicationModule.class))
                    .as(room.getIdentifier().toString())
                    .hasValueSatisfying(
                        says -> assertThat(says.allowedDependencies()).doesNotContain("*")));
  }

  @Test
  void anArrowThatIsNotAllowedIsFound() {
    ApplicationModules wrong = ApplicationModules.of("wrong.rooms", location -> true);
    assertThatThrownBy(wrong::verify)
        .isInstanceOf(Violations.class)
        .hasMessageContaining("mill")
        .hasMessageContaining("pond");
  }
}
