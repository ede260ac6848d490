package dev.millpond.rest;

import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.RequestMapping;

/**
 * Where the web server sends what failed outside Spring MVC, in a filter for example. Takes the
 * place of Spring Boot's own pages.
 */
@Controller
@Hidden
final class ErrorDispatch implements ErrorController {

  private final Problems problems;

  ErrorDispatch(Problems problems) {
    this.problems = problems;
  }

  @RequestMapping("${spring.web.error.path:/error}")
  void answer(HttpServletRequest request, HttpServletResponse response) throws IOException {
    ProblemWriter.write(request, response, document(request));
  }

  private ProblemDocument document(HttpServletRequest request) {
    if (request.getAttribute(RequestDispatcher.ERROR_EXCEPTION) instanceof Throwable failure) {
      return problems.of(failure, request);
    }
    if (request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer status) {
      return ProblemDocument.ofStatus(status);
    }
    // Nobody was sent here: a client asked for the path itself.
    return ProblemDocument.ofStatus(404);
  }
}
