package dev.millpond.handler;

import jakarta.validation.Constraint;
import jakarta.validation.ConstraintValidator;
import jakarta.validation.ConstraintValidatorContext;
import jakarta.validation.Payload;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/** An absolute {@code http} or {@code https} URL of a host, that can be called as it is. */
@Target(ElementType.FIELD)
@Retention(RetentionPolicy.RUNTIME)
@Constraint(validatedBy = HttpUrl.Rule.class)
@interface HttpUrl {

  String message() default "must be an absolute http or https URL";

  Class<?>[] groups() default {};

  Class<? extends Payload>[] payload() default {};

  /** Says which of the rules is broken. */
  final class Rule implements ConstraintValidator<HttpUrl, String> {

    @Override
    public boolean isValid(@Nullable String url, ConstraintValidatorContext context) {
      String problem = url == null ? null : problem(url);
      if (problem != null) {
        context.disableDefaultConstraintViolation();
        context.buildConstraintViolationWithTemplate(problem).addConstraintViolation();
      }
      return problem == null;
    }

    /** What is wrong with the URL; null if nothing is. */
    static @Nullable String problem(String url) {
      URI uri;
      try {
        uri = new URI(url);
      } catch (URISyntaxException unreadable) {
        return "must be a URL; what a URL cannot hold is percent-encoded";
      }
      if (!"http".equalsIgnoreCase(uri.getScheme()) && !"https".equalsIgnoreCase(uri.getScheme())) {
        return "must be an absolute http or https URL";
      } else if (uri.getRawUserInfo() != null) {
        return "must not hold a user or password: send an Authorization header";
      } else if (uri.getHost() == null) {
        return "must name a host: letters, digits, hyphens and dots, or an address";
      } else if (uri.getPort() == 0 || uri.getPort() > 65_535) {
        return "must have a port from 1 to 65535";
      } else if (uri.getRawFragment() != null) {
        return "must not have a fragment: it is never sent";
      }
      return null;
    }
  }
}
