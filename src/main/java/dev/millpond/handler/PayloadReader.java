package dev.millpond.handler;

import static java.util.Comparator.comparing;

import jakarta.validation.ConstraintViolation;
import jakarta.validation.ElementKind;
import jakarta.validation.Path;
import jakarta.validation.Validation;
import jakarta.validation.Validator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.hibernate.validator.HibernateValidator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.node.ObjectNode;

/** Turns the JSON of a payload into what its handler takes; the same at the door and at a run. */
final class PayloadReader {

  /** Speaks English to every client, whatever the server's or the request's language is. */
  private static final Validator VALIDATOR =
      Validation.byProvider(HibernateValidator.class)
          .configure()
          .defaultLocale(Locale.ENGLISH)
          .localeResolver(context -> Locale.ENGLISH)
          .buildValidatorFactory()
          .getValidator();

  /** How many unknown fields are told beside the first failure of another kind. */
  private static final int MAX_UNKNOWN = 20;

  /** Either a payload or the reasons why there is none. */
  record Reading(@Nullable Object payload, List<PayloadViolation> violations) {}

  private PayloadReader() {}

  /**
   * Reads a payload and checks it.
   *
   * @param json null is an empty object for a record, and JSON's null for any other type
   */
  static Reading read(Class<?> type, @Nullable String json) {
    List<PayloadViolation> violations = new ArrayList<>();
    Object payload = bind(type, json == null ? "null" : json, violations);
    if (violations.isEmpty()) {
      check(payload, violations);
    }
    violations.sort(comparing(PayloadViolation::pointer).thenComparing(PayloadViolation::detail));
    return new Reading(violations.isEmpty() ? payload : null, List.copyOf(violations));
  }

  private static @Nullable Object bind(
      Class<?> type, String json, List<PayloadViolation> violations) {
    try {
      JsonNode tree = PayloadJson.MAPPER.readTree(json);
      if (tree.isNull() && type.isRecord()) {
        tree = PayloadJson.MAPPER.createObjectNode();
      }
      return bind(type, tree, violations);
    } catch (JacksonException failure) {
      violations.add(Unreadable.describe(failure));
      return null;
    }
  }

  /** Takes each unknown field out and goes on, so that all of them are told at once. */
  private static @Nullable Object bind(
      Class<?> type, JsonNode tree, List<PayloadViolation> violations) {
    try {
      return PayloadJson.MAPPER.treeToValue(tree, type);
    } catch (UnrecognizedPropertyException unknown) {
      JsonPointer field = Unreadable.pointer(unknown);
      boolean removed =
          tree.at(field.head()) instanceof ObjectNode parent
              && parent.remove(field.last().getMatchingProperty()) != null;
      if (!removed || violations.size() == MAX_UNKNOWN) {
        throw unknown;
      }
      violations.add(Unreadable.describe(unknown));
      return bind(type, tree, violations);
    }
  }

  private static void check(@Nullable Object payload, List<PayloadViolation> violations) {
    if (payload == null) {
      violations.add(new PayloadViolation("", "is required"));
      return;
    }
    for (ConstraintViolation<Object> broken : VALIDATOR.validate(payload)) {
      violations.add(
          new PayloadViolation(pointer(broken.getPropertyPath()).toString(), broken.getMessage()));
    }
  }

  private static JsonPointer pointer(Path path) {
    JsonPointer pointer = JsonPointer.empty();
    for (Path.Node node : path) {
      if (node.getIndex() != null) {
        pointer = pointer.appendIndex(node.getIndex());
      } else if (node.getKey() != null) {
        pointer = pointer.appendProperty(node.getKey().toString());
      }
      if (node.getKind() == ElementKind.PROPERTY) {
        pointer = pointer.appendProperty(node.getName());
      }
    }
    return pointer;
  }
}
