package dev.millpond.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * Left out where statements fail ({@link StoreFaults}): it asserts the answer to a first try, or
 * that no try failed, and a client that has to repeat a request is answered otherwise.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@DisabledIfSystemProperty(
    named = "store.faults",
    matches = ".+",
    disabledReason = "asserts the answer to a first try")
public @interface WithoutStoreFaults {

  /** How a repeated request is answered, or a failed one. */
  String value();
}
