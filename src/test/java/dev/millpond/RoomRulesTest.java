package dev.millpond;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RoomRulesTest {

  private static final JavaClasses PRODUCT =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.millpond");

  private static final JavaClasses WRONG = new ClassFileImporter().importPackages("wrong");

  @ParameterizedTest
  @EnumSource
  void theProductKeepsTheRule(RoomRules rule) {
    rule.rule().check(PRODUCT);
  }

  @ParameterizedTest
  @EnumSource
  void theRuleCanFail(RoomRules rule) {
    assertThat(rule.rule().evaluate(WRONG).hasViolation()).isTrue();
  }

  @Test
  void noExceptionOutlivesItsClass() {
    assertThat(RoomRules.Exceptions.classes()).allMatch(PRODUCT::contain);
  }
}
