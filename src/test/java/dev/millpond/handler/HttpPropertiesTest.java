package dev.millpond.handler;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import jakarta.validation.Validation;
import jakarta.validation.Validator;
import jakarta.validation.ValidatorFactory;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpPropertiesTest {

  private static String violations(Map<String, String> values) {
    try (ValidatorFactory factory = Validation.buildDefaultValidatorFactory()) {
      Validator validator = factory.getValidator();
      return validator.validate(AddressGuardTest.settings(values)).stream()
          .map(broken -> broken.getPropertyPath() + " " + broken.getMessage())
          .collect(joining("\n"));
    }
  }

  @Test
  void theDefaultsAreLegal() {
    assertThat(violations(Map.of())).isEmpty();
  }

  @Test
  void allTheFormsOfAnAllowedTargetAreLegal() {
    assertThat(
            violations(
                Map.of(
                    "millpond.http.allow",
                    "10.0.0.0/8, fd00::/8, ::1, 10.0.0.1, my-host.example, my_service")))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "allow, http://example.org, must be an address",
    "allow, 10.0.0.0/1000, must be an address",
    "max-connections, 0, greater than or equal to 1",
    "max-connections-per-host, 129, must be at most millpond.http.max-connections",
    "connect-timeout, PT0S, must be from PT0.1S to PT2M",
    "connect-timeout, PT3M, must be from PT0.1S to PT2M",
    "secrets, whsec_c2hvcnQ=, millpond.http.secrets must each be"
  })
  void wrongSettingsAreNamedWithTheirRule(String name, String value, String rule) {
    assertThat(violations(Map.of("millpond.http." + name, value))).contains(rule);
  }
}
