package dev.millpond.handler;

import jakarta.validation.Constraint;
import jakarta.validation.ConstraintValidator;
import jakarta.validation.ConstraintValidatorContext;
import jakarta.validation.Payload;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The name of a request header (RFC 9110) that is the client's to set. */
@Target(ElementType.TYPE_USE)
@Retention(RetentionPolicy.RUNTIME)
@Constraint(validatedBy = HeaderName.Rule.class)
@interface HeaderName {

  String message() default "is not the name of a header";

  Class<?>[] groups() default {};

  Class<? extends Payload>[] payload() default {};

  /** Tells a broken name from a reserved one. */
  final class Rule implements ConstraintValidator<HeaderName, String> {

    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}");

    /** Those of the connection or the framing of a message, and those that Millpond promises. */
    private static final Set<String> RESERVED =
        Set.of(
            "connection",
            "content-length",
            "expect",
            "host",
            "http2-settings",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "idempotency-key",
            "traceparent",
            "user-agent");

    @Override
    public boolean isValid(@Nullable String name, ConstraintValidatorContext context) {
      if (name == null || !TOKEN.matcher(name).matches()) {
        return false;
      }
      String lower = name.toLowerCase(Locale.ROOT);
      if (RESERVED.contains(lower) || lower.startsWith("proxy-") || lower.startsWith("millpond-")) {
        context.disableDefaultConstraintViolation();
        context
            .buildConstraintViolationWithTemplate("is a header that only Millpond sets")
            .addConstraintViolation();
        return false;
      }
      return true;
    }
  }
}
