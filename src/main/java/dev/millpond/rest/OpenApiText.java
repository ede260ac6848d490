package dev.millpond.rest;

import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.Paths;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import io.swagger.v3.oas.models.servers.Server;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.customizers.GlobalOperationCustomizer;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.method.HandlerMethod;

/**
 * The OpenAPI document. Which operations there are is read off the controllers, and which problems
 * they answer with off their {@link Answers}; what they take and answer when it goes well is
 * written in {@code openapi/*.yaml}, since they read requests by hand. A test holds the three
 * together.
 */
@Configuration(proxyBeanMethods = false)
class OpenApiText {

  /** What any operation can answer. */
  static final List<Problem> EVERYWHERE =
      List.of(
          Problem.INVALID_REQUEST,
          Problem.UNKNOWN_FILTER,
          Problem.FOREIGN_ORIGIN,
          Problem.NOT_ACCEPTABLE,
          Problem.MISDIRECTED_REQUEST,
          Problem.INTERNAL_ERROR,
          Problem.OVERLOADED,
          Problem.DATABASE_UNAVAILABLE);

  /** Answered where there is no operation that could tell of them. */
  private static final Set<Problem> NOWHERE = Set.of(Problem.NOT_FOUND, Problem.METHOD_NOT_ALLOWED);

  /** Refused before it is known whose queue is meant. */
  private static final Set<String> BEFORE_THE_CONTROLLER = Set.of("403", "406", "421");

  /** The operations that let jobs in. */
  private static final Pattern SUBMITS = Pattern.compile("submit.*|triggerSchedule");

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
                .license(new License().name("Apache License 2.0").identifier("Apache-2.0"))
                .version(version == null ? "unknown" : version))
        // Said, since nothing said would mean that it is not known.
        .security(List.of())
        .servers(List.of(new Server().url("/").description("This service")));
  }

  /** Lays the written text over what was found at the controllers. */
  @Bean
  OpenApiCustomizer writtenText() {
    OpenAPI text = OpenApiFiles.read();
    addProblems(text.getComponents());
    return document -> {
      document.setTags(text.getTags());
      document.setComponents(text.getComponents());
      document.getPaths().forEach((path, found) -> describe(found, path, text.getPaths()));
      document.setPaths(sorted(document.getPaths(), List.copyOf(text.getPaths().keySet())));
    };
  }

  private static void addProblems(Components components) {
    for (Problem problem : Problem.values()) {
      if (NOWHERE.contains(problem)) {
        continue;
      }
      for (int status : problem.statuses()) {
        components.addExamples(
            ProblemExample.name(problem, status),
            new Example()
                .summary(problem.title())
                .value(ProblemExample.of(problem, status).json()));
      }
    }
  }

  /** The paths in the order in which they are written, then those that are not. */
  private static Paths sorted(Paths found, List<String> order) {
    Paths sorted = new Paths();
    Stream.concat(order.stream(), found.keySet().stream())
        .filter(found::containsKey)
        .forEach(path -> sorted.putIfAbsent(path, found.get(path)));
    return sorted;
  }

  private static void describe(PathItem found, String path, Paths text) {
    @Nullable PathItem written = text.get(path);
    if (written != null) {
      Map<PathItem.HttpMethod, Operation> operations = written.readOperationsMap();
      found
          .readOperationsMap()
          .forEach(
              (method, operation) -> {
                @Nullable Operation words = operations.get(method);
                if (words != null) {
                  describe(operation, words, written.getParameters());
                }
              });
    }
  }

  private static void describe(
      Operation found, Operation written, @Nullable List<Parameter> ofPath) {
    found.operationId(written.getOperationId());
    found.tags(written.getTags());
    found.summary(written.getSummary());
    found.description(written.getDescription());
    found.parameters(
        Stream.of(ofPath, written.getParameters())
            .flatMap(some -> some == null ? Stream.<Parameter>empty() : some.stream())
            .toList());
    found.requestBody(written.getRequestBody());
    ApiResponses responses = new ApiResponses();
    responses.putAll(written.getResponses());
    found
        .getResponses()
        .forEach(
            (status, response) -> {
              if (status.compareTo("400") >= 0) {
                responses.addApiResponse(status, response);
              }
            });
    found.responses(responses);
    if (SUBMITS.matcher(written.getOperationId()).matches()) {
      addRateLimit(responses);
    }
  }

  private static void addRateLimit(ApiResponses responses) {
    responses.forEach(
        (status, response) -> {
          if (status.compareTo("400") >= 0 && !BEFORE_THE_CONTROLLER.contains(status)) {
            addRateLimit(response);
          }
        });
  }

  private static void addRateLimit(ApiResponse response) {
    response.addHeaderObject("RateLimit-Policy", header("RateLimitPolicy"));
    response.addHeaderObject("RateLimit", header("RateLimit"));
  }

  private static Header header(String name) {
    return new Header().$ref("#/components/headers/" + name);
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
    for (Problem problem : problems) {
      for (int status : problem.statuses()) {
        byStatus.computeIfAbsent(status, _ -> new ArrayList<>()).add(problem);
      }
    }
    ApiResponses responses = operation.getResponses();
    byStatus.forEach(
        (status, same) ->
            responses.addApiResponse(Integer.toString(status), response(status, same)));
    return operation;
  }

  private static ApiResponse response(int status, Collection<Problem> problems) {
    MediaType document =
        new MediaType().schema(new Schema<>().$ref("#/components/schemas/Problem"));
    List<String> titles = new ArrayList<>();
    for (Problem problem : problems) {
      titles.add("`" + problem.slug() + "`: " + problem.title());
      document.addExamples(
          problem.slug(),
          new Example().$ref("#/components/examples/" + ProblemExample.name(problem, status)));
    }
    ApiResponse response =
        new ApiResponse()
            .description(String.join("; ", titles) + ".")
            .content(new Content().addMediaType(MEDIA_TYPE, document));
    if (problems.contains(Problem.UNSUPPORTED_MEDIA_TYPE)) {
      response.addHeaderObject("Accept", header("Accept"));
      response.addHeaderObject("Accept-Encoding", header("AcceptEncoding"));
    }
    if (problems.contains(Problem.TENANT_OVER_SHARE)) {
      addRateLimit(response);
    }
    boolean isWorthRepeating =
        status == 503 || status == 429 || problems.contains(Problem.IDEMPOTENCY_KEY_IN_FLIGHT);
    return isWorthRepeating
        ? response.addHeaderObject("Retry-After", header("RetryAfter"))
        : response;
  }
}
