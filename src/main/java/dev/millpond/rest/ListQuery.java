package dev.millpond.rest;

import static java.util.stream.Collectors.toUnmodifiableMap;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The query of a list, read strictly: a filter that does not exist is refused, not ignored.
 *
 * @param limit 1 to 500 items a page
 * @param after what the last item of the page before is known by; null for the first page
 * @param filters the values given, by filter, in the order given
 */
public record ListQuery(int limit, @Nullable String after, Map<String, List<String>> filters) {

  private static final int DEFAULT_LIMIT = 50;
  private static final int MAX_LIMIT = 500;

  /**
   * Reads the query.
   *
   * @param list whose cursors are taken
   * @param filters the filters that the list knows, besides {@code limit} and {@code cursor}
   * @throws ProblemException {@code unknown-filter}, {@code invalid-cursor} or {@code
   *     invalid-request}
   */
  public static ListQuery of(HttpServletRequest request, Cursor list, String... filters) {
    return of(request.getParameterMap(), list, filters);
  }

  static ListQuery of(Map<String, String[]> query, Cursor list, String... filters) {
    SortedSet<String> known = new TreeSet<>(Arrays.asList(filters));
    SortedSet<String> all = new TreeSet<>(known);
    all.addAll(List.of("limit", "cursor"));
    refuseUnknown(query.keySet(), all);
    query.forEach(ListQuery::refuseUnsound);
    Map<String, List<String>> given =
        known.stream()
            .filter(query::containsKey)
            .collect(toUnmodifiableMap(name -> name, name -> List.of(values(query, name))));
    return new ListQuery(
        single(query, "limit").map(ListQuery::limit).orElse(DEFAULT_LIMIT),
        single(query, "cursor").map(list::decode).orElse(null),
        given);
  }

  /**
   * The value of a filter that can be given once.
   *
   * @throws ProblemException {@code invalid-request} if it was given more than once
   */
  public Optional<String> filter(String name) {
    return single(filters.getOrDefault(name, List.of()), name);
  }

  /**
   * Refuses a query that holds more than the known parameters.
   *
   * @throws ProblemException {@code unknown-filter}
   */
  static void refuseUnknown(Set<String> query, Set<String> known) {
    Optional<String> unknown =
        query.stream().filter(name -> !known.contains(name)).sorted().findFirst();
    if (unknown.isPresent()) {
      throw new ProblemException(
          ProblemDocument.of(
                  Problem.UNKNOWN_FILTER,
                  "There is no query parameter "
                      + Words.quote(unknown.get())
                      + Words.didYouMean(unknown.get(), known))
              .with("knownFilters", known.stream().sorted().toList()));
    }
  }

  private static void refuseUnsound(String name, String[] values) {
    for (String value : values) {
      JsonText.flaw(value)
          .ifPresent(
              flaw -> {
                throw invalid(name, flaw);
              });
    }
  }

  private static int limit(String text) {
    if (!text.matches("[1-9][0-9]{0,2}") || Integer.parseInt(text) > MAX_LIMIT) {
      throw invalid("limit", "must be a whole number from 1 to " + MAX_LIMIT);
    }
    return Integer.parseInt(text);
  }

  private static Optional<String> single(Map<String, String[]> query, String name) {
    return single(List.of(values(query, name)), name);
  }

  private static Optional<String> single(List<String> values, String name) {
    if (values.size() > 1) {
      throw invalid(name, "can be given once only");
    }
    return values.stream().findFirst();
  }

  private static String[] values(Map<String, String[]> query, String name) {
    return query.getOrDefault(name, new String[0]);
  }

  /** The refusal of a parameter's value. */
  public static ProblemException invalid(String parameter, String detail) {
    return new ProblemException(
        ProblemDocument.invalid(List.of(FieldError.parameter(parameter, detail))));
  }
}
