package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.web.server.LocalServerPort;

/** What people read: the pages of the problems and the API description. */
@OnTomcat
class PagesIT {

  @LocalServerPort private int port;

  @Test
  void theFrontDoorLeadsToTheApiDescription() throws IOException {
    RawHttp answer = send("GET /", "");
    assertThat(answer.status()).isEqualTo(302);
    assertThat(answer.header("Location"))
        .hasValueSatisfying(to -> assertThat(to).endsWith("/swagger-ui.html"));
  }

  @Test
  void theDocumentNamesTheProblemsOfEachOperation() throws IOException {
    RawHttp answer = send("GET /v3/api-docs", "");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body())
        .contains(
            "\"openapi\":\"3.1",
            "\"#/components/schemas/Problem\"",
            "\"#/components/examples/queue-full\"",
            "\"#/components/examples/overloaded\"",
            "`queue-full`: The queue is full; `overloaded`: The service is overloaded; `database")
        .doesNotContain("\"/problems/{slug}\"", "\"/error\"");
  }

  @Test
  void eachProblemHasAPage() throws IOException {
    for (Problem problem : Problem.values()) {
      RawHttp page = send("GET " + problem.type(), "Accept: text/html\r\n");
      assertThat(page.status()).isEqualTo(200);
      assertThat(page.header("Content-Type")).contains("text/html;charset=UTF-8");
      assertThat(page.header("Content-Security-Policy")).isPresent();
      assertThat(page.body())
          .contains("<h1>", "<code>/problems/" + problem.slug() + "</code>")
          .doesNotContain("<script", "style=");
    }
    assertThat(send("GET /problems", "").body()).contains("href=\"/problems/queue-full\"");
    assertThat(send("GET /problems.css", "").status()).isEqualTo(200);
  }

  private RawHttp send(String request, String headers) throws IOException {
    return RawHttp.request(port, request, headers, "");
  }
}
