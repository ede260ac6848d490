package dev.millpond.rest;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.async.AsyncRequestNotUsableException;

/**
 * Answers whatever leaves a controller, or Spring MVC before it, as a problem document. The
 * document is written past content negotiation: who accepts only HTML still learns what is wrong.
 */
@RestControllerAdvice
final class ProblemAdvice {

  private final Problems problems;

  ProblemAdvice(Problems problems) {
    this.problems = problems;
  }

  @ExceptionHandler
  void answer(Exception failure, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    ProblemWriter.write(request, response, problems.of(failure, request));
  }

  /** The client has gone, or its stream has ended: nobody is left to be told. */
  @ExceptionHandler
  void gone(AsyncRequestNotUsableException failure) {}
}
