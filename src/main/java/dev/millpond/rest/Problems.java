package dev.millpond.rest;

import static java.util.stream.Collectors.joining;

import dev.millpond.admission.QueueFull;
import dev.millpond.queue.UnknownQueue;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.catalina.connector.ClientAbortException;
import org.apache.coyote.BadRequestException;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.hibernate.TransactionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.http.converter.HttpMessageNotWritableException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;
import org.springframework.web.ErrorResponse;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.MissingServletRequestParameterException;
import org.springframework.web.context.request.async.AsyncRequestNotUsableException;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.util.DisconnectedClientHelper;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DatabindException;

/**
 * Turns whatever a request ran into, into the refusal that its client gets. What is nobody's plan
 * is logged with its cause and answered as {@code internal-error} with a reference to the log.
 */
@Component
public class Problems {

  private static final Logger log = LoggerFactory.getLogger(Problems.class);
  private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS", "TRACE");

  private final Outage outage =
      new Outage(System::nanoTime, () -> ThreadLocalRandom.current().nextLong());

  /** Answers a failure, unless it is that the client has gone: nobody is left to be told. */
  void answer(Throwable failure, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    try {
      if (isUnsent(failure)) {
        log.debug("The client has gone before its answer was written", failure);
      } else {
        ProblemWriter.write(request, response, of(failure, request));
      }
    } catch (ClientAbortException gone) {
      log.debug("The client has gone before its refusal was written", gone);
    }
  }

  private static boolean isUnsent(Throwable failure) {
    return failure instanceof AsyncRequestNotUsableException
        || (failure instanceof HttpMessageNotWritableException
            && DisconnectedClientHelper.isClientDisconnectedException(failure));
  }

  /** The refusal for a failure. */
  public ProblemDocument of(Throwable failure, HttpServletRequest request) {
    return switch (failure) {
      case ProblemException refusal -> refusal.document();
      case QueueFull full -> RateLimit.tell(full.refusal(), Refusals.full(full.refusal()));
      case UnknownQueue unknown -> Refusals.unknown(unknown);
      case InvalidParameterException _ ->
          ProblemDocument.invalid(
              List.of(FieldError.parameter("query", "is not well-formed UTF-8")));
      case HttpRequestMethodNotSupportedException method -> methodNotAllowed(method);
      case HttpMediaTypeNotSupportedException type -> unsupported(type);
      case MethodArgumentTypeMismatchException bad ->
          ProblemDocument.invalid(List.of(FieldError.parameter(bad.getName(), "cannot be read")));
      case MissingServletRequestParameterException missing ->
          ProblemDocument.invalid(
              List.of(FieldError.parameter(missing.getParameterName(), "is required")));
      case MethodArgumentNotValidException bad -> invalidBody(bad);
      case HandlerMethodValidationException bad -> invalidParameters(bad);
      case ClientAbortException _, BadRequestException _ ->
          ProblemDocument.of(
              Problem.INVALID_REQUEST, "The body is broken, or did not come to its end.");
      case HttpMessageNotReadableException unreadable -> unreadable(unreadable);
      case CannotGetJdbcConnectionException none when isBusy(none) -> busy();
      case CannotCreateTransactionException none when isBusy(none) -> busy();
      case CannotGetJdbcConnectionException _, CannotCreateTransactionException _ ->
          databaseUnavailable();
      case TransientDataAccessException _ -> databaseUnavailable();
      case DataAccessResourceFailureException _,
          RecoverableDataAccessException _,
          TransactionSystemException _ ->
          brokenConnection(request);
      // A rollback over a connection that is gone, for one, is not told from other failures.
      case DataAccessException other when isBroken(other) -> brokenConnection(request);
      case ErrorResponse known -> ProblemDocument.ofStatus(known.getStatusCode().value());
      default -> internal(failure);
    };
  }

  /** Whether all connections were in use: the pool names no failure of one as the cause. */
  private static boolean isBusy(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLTransientConnectionException) {
        return cause.getCause() == null;
      }
    }
    return false;
  }

  /**
   * Whether the connection was lost (SQLSTATE class 08), the server stops (57P), or a transaction
   * cannot even be ended any more, of which no state tells why.
   */
  private static boolean isBroken(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof TransactionException) {
        return true;
      }
      if (cause instanceof SQLException sql && sql.getSQLState() != null) {
        return sql.getSQLState().startsWith("08") || sql.getSQLState().startsWith("57P");
      }
    }
    return false;
  }

  private static ProblemDocument busy() {
    return ProblemDocument.of(
            Problem.OVERLOADED,
            "Other requests keep all connections to the database. Nothing was done.")
        .retryAfter(Refusals.SOON_SECONDS);
  }

  /** The refusal while the database is away; each call counts as one failure of the outage. */
  public ProblemDocument databaseUnavailable() {
    return ProblemDocument.of(
            Problem.DATABASE_UNAVAILABLE, "The database cannot be reached. Nothing was done.")
        .retryAfter(outage.failed());
  }

  /** The refusal where a commit was sent and its answer never came. */
  public ProblemDocument outcomeUnknown() {
    return ProblemDocument.of(
            Problem.OUTCOME_UNKNOWN, "The connection broke before the database had answered.")
        .retryAfter(outage.failed());
  }

  // A statement was on its way when the connection broke: only a read is sure to have done nothing.
  private ProblemDocument brokenConnection(HttpServletRequest request) {
    return SAFE.contains(request.getMethod()) ? databaseUnavailable() : outcomeUnknown();
  }

  private static ProblemDocument methodNotAllowed(HttpRequestMethodNotSupportedException e) {
    String[] supported =
        Optional.ofNullable(e.getSupportedMethods()).orElseGet(() -> new String[0]);
    String allow = String.join(", ", supported);
    return ProblemDocument.of(Problem.METHOD_NOT_ALLOWED, "This path knows " + allow + ".")
        .header(HttpHeaders.ALLOW, allow);
  }

  private static ProblemDocument unsupported(HttpMediaTypeNotSupportedException e) {
    String accept =
        e.getSupportedMediaTypes().stream()
            .filter(MediaType::isConcrete)
            .map(MediaType::toString)
            .distinct()
            .collect(joining(", "));
    return unsupported(accept.isEmpty() ? MediaType.APPLICATION_JSON_VALUE : accept);
  }

  static ProblemDocument unsupported(String accept) {
    return ProblemDocument.of(
            Problem.UNSUPPORTED_MEDIA_TYPE, "The body must be sent as " + accept + ".")
        .header(HttpHeaders.ACCEPT, accept);
  }

  private static ProblemDocument invalidBody(MethodArgumentNotValidException e) {
    return ProblemDocument.invalid(
        e.getFieldErrors().stream()
            .map(
                bad ->
                    FieldError.at(
                        "/" + bad.getField().replace('.', '/'), message(bad.getDefaultMessage())))
            .toList());
  }

  private static ProblemDocument invalidParameters(HandlerMethodValidationException e) {
    return ProblemDocument.invalid(
        e.getParameterValidationResults().stream()
            .flatMap(
                result ->
                    result.getResolvableErrors().stream()
                        .map(
                            bad ->
                                FieldError.parameter(
                                    message(result.getMethodParameter().getParameterName()),
                                    message(bad.getDefaultMessage()))))
            .toList());
  }

  private static String message(@Nullable String text) {
    return text == null ? "is not valid" : text;
  }

  private static ProblemDocument unreadable(HttpMessageNotReadableException e) {
    return ProblemDocument.invalid(
        List.of(
            switch (e.getCause()) {
              case DatabindException bad ->
                  FieldError.at(pointer(bad), "is unknown or has the wrong type");
              case JacksonException _ -> FieldError.at("", "is not valid JSON");
              case null, default -> FieldError.at("", "a body is required and could not be read");
            }));
  }

  private static String pointer(DatabindException e) {
    return e.getPath().stream()
        .map(step -> step.getPropertyName() == null ? "" + step.getIndex() : step.getPropertyName())
        .map(JsonText::shown)
        .map(name -> "/" + name.replace("~", "~0").replace("/", "~1"))
        .collect(joining());
  }

  private static ProblemDocument internal(Throwable failure) {
    String reference = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    log.error("A request failed unexpectedly (reference {})", reference, failure);
    return ProblemDocument.of(
            Problem.INTERNAL_ERROR, "The log holds the cause under " + reference + ".")
        .with("reference", reference);
  }
}
