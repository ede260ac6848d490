package dev.millpond.rest;

import static java.util.stream.Collectors.joining;

import io.swagger.v3.oas.annotations.Hidden;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.HtmlUtils;

/** The pages behind the {@code type} of problems: what each means and what to do. */
@RestController
@Hidden
final class ProblemPages {

  private static final MediaType HTML = new MediaType("text", "html", StandardCharsets.UTF_8);
  private static final String POLICY =
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'";
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  @GetMapping("/problems")
  ResponseEntity<String> all() {
    String entries =
        Arrays.stream(Problem.values())
            .map(
                problem ->
                    "<li><a href=\"%s\">%s</a> <span class=\"status\">%s %s</span></li>\n"
                        .formatted(
                            problem.type(),
                            text(problem.title()),
                            statuses(problem),
                            problem.slug()))
            .collect(joining());
    return page(
        "Problems",
        """
        <h1>Problems</h1>
        <p>What the service answers when it does not do what it was asked for.</p>
        <ul>
        %s</ul>
        """
            .formatted(entries));
  }

  @GetMapping("/problems/{slug}")
  ResponseEntity<String> one(@PathVariable String slug) {
    Problem problem =
        Problem.of(slug)
            .orElseThrow(
                () -> new ProblemException(Problem.NOT_FOUND, "There is no problem of this name."));
    String example = ProblemWriter.readable(ProblemExample.of(problem).json());
    return page(
        problem.title(),
        """
        <h1>%s</h1>
        <p class="status">Status %s, type <code>%s</code></p>
        <h2>What it means</h2>
        <p>%s</p>
        <h2>What to do</h2>
        <p>%s</p>
        <h2>What it looks like</h2>
        <pre tabindex="0">%s</pre>
        <p><a href="/problems">All problems</a></p>
        """
            .formatted(
                text(problem.title()),
                statuses(problem),
                problem.type(),
                text(problem.meaning()),
                text(problem.remedy()),
                HtmlUtils.htmlEscape(example)));
  }

  private static String statuses(Problem problem) {
    return problem.statuses().stream().map(String::valueOf).collect(joining(" or "));
  }

  private static ResponseEntity<String> page(String title, String content) {
    return ResponseEntity.ok()
        .contentType(HTML)
        .header("Content-Security-Policy", POLICY)
        .header("X-Content-Type-Options", "nosniff")
        .body(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>%s - Millpond</title>
            <link rel="stylesheet" href="/problems.css">
            </head>
            <body>
            <main>
            %s</main>
            </body>
            </html>
            """
                .formatted(HtmlUtils.htmlEscape(title), content));
  }

  private static String text(String catalogued) {
    return CODE.matcher(HtmlUtils.htmlEscape(catalogued)).replaceAll("<code>$1</code>");
  }
}
