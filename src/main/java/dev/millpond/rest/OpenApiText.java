package dev.millpond.rest;

import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.customizers.GlobalOperationCustomizer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.method.HandlerMethod;

/** The parts of the OpenAPI document that are not read off the controllers. */
@Configuration(proxyBeanMethods = false)
class OpenApiText {

  /** What any operation can answer. */
  static final List<Problem> EVERYWHERE =
      List.of(
          Problem.INVALID_REQUEST,
          Problem.FOREIGN_ORIGIN,
          Problem.NOT_ACCEPTABLE,
          Problem.MISDIRECTED_REQUEST,
          Problem.INTERNAL_ERROR,
          Problem.DATABASE_UNAVAILABLE);

  private static final String MEDIA_TYPE = "application/problem+json";
  private static final String DESCRIPTION =
      """
      Millpond takes work that should not be done while somebody waits for it. Submit a job, get its \
      address at once, and ask there how it goes; workers take the jobs in order and try again what \
      fails.

      An accepted job is stored before you are told so, and is not lost. When a queue is full you are \
      told so as well, together with the time after which it makes sense to come back.

      Everything that can go wrong is a problem document (RFC 9457), whose `type` leads to a page \
      that says [what it means and what to do](/problems).\
      """;

  @Bean
  OpenAPI openApi(ObjectProvider<BuildProperties> build) {
    @Nullable BuildProperties known = build.getIfAvailable();
    @Nullable String version = known == null ? null : known.getVersion();
    return new OpenAPI()
        .info(
            new Info()
                .title("Millpond")
                .description(DESCRIPTION)
                .version(version == null ? "unknown" : version))
        .components(components());
  }

  private static Components components() {
    Components components = new Components().addSchemas("Problem", problemSchema());
    for (Problem problem : Problem.values()) {
      components.addExamples(
          problem.slug(),
          new Example().summary(problem.title()).value(ProblemExample.of(problem).json()));
    }
    return components;
  }

  private static Schema<?> problemSchema() {
    return typed("object", "What was refused, why, and what to do (RFC 9457).")
        .required(List.of("type", "title", "status", "detail"))
        .addProperty("type", typed("string", "The path of the page that explains the problem."))
        .addProperty("title", typed("string", "The problem in a few words."))
        .addProperty("status", typed("integer", "The HTTP status."))
        .addProperty("detail", typed("string", "What is special about this occurrence."))
        .addProperty("errors", errorsSchema())
        .additionalProperties(true);
  }

  private static Schema<?> errorsSchema() {
    Schema<?> error =
        typed("object", "A bad place of the request.")
            .required(List.of("detail"))
            .addProperty("pointer", typed("string", "Its JSON Pointer, if it is in the body."))
            .addProperty("parameter", typed("string", "Its name, if it is in path or query."))
            .addProperty("header", typed("string", "Its name, if it is a header."))
            .addProperty("detail", typed("string", "What is wrong with it."));
    return typed("array", "Each bad place of the request.").items(error);
  }

  private static Schema<?> typed(String type, String description) {
    return new Schema<>().types(new LinkedHashSet<>(List.of(type))).description(description);
  }

  /** Adds to each operation the problems that it can answer with, one response a status. */
  @Bean
  GlobalOperationCustomizer problemResponses() {
    return OpenApiText::addProblems;
  }

  private static Operation addProblems(Operation operation, HandlerMethod method) {
    Set<Problem> problems = new LinkedHashSet<>();
    @Nullable Answers answers = method.getMethodAnnotation(Answers.class);
    if (answers != null) {
      problems.addAll(List.of(answers.value()));
    }
    problems.addAll(EVERYWHERE);
    Map<Integer, List<Problem>> byStatus = new TreeMap<>();
    problems.forEach(
        problem -> byStatus.computeIfAbsent(problem.status(), _ -> new ArrayList<>()).add(problem));
    ApiResponses responses = operation.getResponses();
    byStatus.forEach(
        (status, same) -> responses.addApiResponse(Integer.toString(status), response(same)));
    return operation;
  }

  private static ApiResponse response(Collection<Problem> problems) {
    MediaType document =
        new MediaType().schema(new Schema<>().$ref("#/components/schemas/Problem"));
    List<String> titles = new ArrayList<>();
    for (Problem problem : problems) {
      titles.add("`" + problem.slug() + "`: " + problem.title());
      document.addExamples(
          problem.slug(), new Example().$ref("#/components/examples/" + problem.slug()));
    }
    ApiResponse response =
        new ApiResponse()
            .description(String.join("; ", titles) + ".")
            .content(new Content().addMediaType(MEDIA_TYPE, document));
    return problems.stream().anyMatch(problem -> problem.status() == 503)
        ? response.addHeaderObject("Retry-After", retryAfter())
        : response;
  }

  private static Header retryAfter() {
    return new Header()
        .description("After how many seconds the same request should be sent again.")
        .schema(typed("integer", "Whole seconds."));
  }
}
