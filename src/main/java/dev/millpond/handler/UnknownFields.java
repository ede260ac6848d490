package dev.millpond.handler;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.deser.DeserializationProblemHandler;
import tools.jackson.databind.exc.MismatchedInputException;

/** Collects all unknown fields of a payload, where Jackson by itself would stop at the first. */
final class UnknownFields extends DeserializationProblemHandler {

  private final List<PayloadViolation> violations;

  UnknownFields(List<PayloadViolation> violations) {
    this.violations = violations;
  }

  @Override
  public boolean handleUnknownProperty(
      DeserializationContext context,
      JsonParser parser,
      @Nullable ValueDeserializer<?> deserializer,
      Object beanOrClass,
      String name) {
    Collection<Object> known =
        deserializer == null ? List.of() : deserializer.getKnownPropertyNames();
    violations.add(
        new PayloadViolation(
            parser.streamReadContext().pathAsPointer().toString(),
            Spelling.unknownField(name, known)));
    parser.skipChildren();
    return true;
  }

  @Override
  public Object handleNullForPrimitives(
      DeserializationContext context,
      Class<?> type,
      JsonParser parser,
      ValueDeserializer<?> deserializer,
      String message) {
    throw MismatchedInputException.from(parser, type, Unreadable.REQUIRED);
  }
}
