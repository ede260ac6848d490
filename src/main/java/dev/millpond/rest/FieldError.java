package dev.millpond.rest;

import java.util.Map;

/**
 * One bad place of a request, an entry of {@code errors}.
 *
 * @param where {@code pointer} for a JSON Pointer (RFC 6901) into the body, {@code parameter} for a
 *     query parameter or a part of the path, {@code header} for a header
 * @param place the pointer, or the parameter's or header's name
 * @param detail what is wrong there, for a person
 */
public record FieldError(String where, String place, String detail) {

  /** A bad place of the body. */
  public static FieldError at(String pointer, String detail) {
    return new FieldError("pointer", pointer, detail);
  }

  /** A bad query parameter or part of the path. */
  public static FieldError parameter(String name, String detail) {
    return new FieldError("parameter", name, detail);
  }

  /** A bad header. */
  public static FieldError header(String name, String detail) {
    return new FieldError("header", name, detail);
  }

  String sentence() {
    return place.isEmpty() ? detail : place + ": " + detail;
  }

  Map<String, Object> json() {
    return Map.of(where, place, "detail", detail);
  }
}
