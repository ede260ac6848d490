package dev.millpond.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** Left out where statements fail ({@link StoreFaults}): a failure is told, as it should be. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@DisabledIfSystemProperty(
    named = "store.faults",
    matches = ".+",
    disabledReason = "asserts that nothing failed")
public @interface WithoutStoreFaults {

  /** What a client is told of a failure. */
  String value();
}
