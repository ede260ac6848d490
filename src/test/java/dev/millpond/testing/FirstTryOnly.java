package dev.millpond.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * Left out where statements fail after they took effect: what it asserts is the answer to the first
 * try, and a client that repeats the request gets another one.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@DisabledIfSystemProperty(
    named = "store.faults",
    matches = "after",
    disabledReason = "asserts the answer to the first try")
public @interface FirstTryOnly {

  /** What a repeated request is answered. */
  String value();
}
