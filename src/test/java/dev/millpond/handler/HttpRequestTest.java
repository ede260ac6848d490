package dev.millpond.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpRequestTest {

  private final HttpRequestHandler handler = HttpCalls.strictHandler();
  private final Handlers handlers = new Handlers(List.of(handler));

  @AfterEach
  void close() throws Exception {
    handler.close();
  }

  private HttpRequest read(String payload) throws PermanentFailure {
    return (HttpRequest) handlers.read("http.request", payload);
  }

  @Test
  void onlyTheUrlIsRequired() throws Exception {
    HttpRequest request = read("{\"url\": \"https://example.org/hook\"}");

    assertThat(request.method()).isEqualTo("POST");
    assertThat(request.headers()).isEmpty();
    assertThat(request.body()).isNull();
    assertThat(request.timeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(request.successStatus()).isEqualTo("2xx");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          'url':'http://example.org'                                |
          'url':'HTTPS://example.org:8443/a%20b?q=1&r=ü'            |
          'url':'http://[2606:4700::1]:80/'                         |
          'url':'http://example.org','method':'DELETE'              |
          'url':'http://example.org','body':null                    |
          'url':'http://example.org','timeout':'PT1H'               |
          'url':'http://example.org','successStatus':'2xx, 404,410' |
          'url':'http://example.org','headers':{'X-Own':'ok'}       |
                                                                    | /url must not be null
          'url':null                                                | /url must not be null
          'url':'example.org/hook'                                  | /url must be an absolute http or https URL
          'url':'/hook'                                             | /url must be an absolute http or https URL
          'url':'ftp://example.org/'                                | /url must be an absolute http or https URL
          'url':'file:///etc/passwd'                                | /url must be an absolute http or https URL
          'url':'http:example.org'                                  | /url must name a host: letters, digits, hyphens and dots, or an address
          'url':'http:///hook'                                      | /url must name a host: letters, digits, hyphens and dots, or an address
          'url':'http://user:pw@example.org/'                       | /url must not hold a user or password: send an Authorization header
          'url':'http://user@example.org/'                          | /url must not hold a user or password: send an Authorization header
          'url':'http://example.org/#top'                           | /url must not have a fragment: it is never sent
          'url':'http://example.org:0/'                             | /url must have a port from 1 to 65535
          'url':'http://example.org:65536/'                         | /url must have a port from 1 to 65535
          'url':'http://example.org/a b'                            | /url must be a URL; what a URL cannot hold is percent-encoded
          'url':'http://example.org','method':'post'                | /method must be a method in upper case, and neither CONNECT nor TRACE
          'url':'http://example.org','method':'CONNECT'             | /method must be a method in upper case, and neither CONNECT nor TRACE
          'url':'http://example.org','timeout':'PT2H'               | /timeout must be at most PT1H
          'url':'http://example.org','timeout':'PT0S'               | /timeout must be at least PT0.1S
          'url':'http://example.org','timeout':30                   | /timeout must be an ISO 8601 duration such as "PT30S"
          'url':'http://example.org','successStatus':'ok'           | /successStatus must list statuses or classes of them, such as "2xx, 404"
          'url':'http://example.org','successStatus':200            | /successStatus must be a string
          'url':'http://example.org','headers':{'X-Own':1}          | /headers/X-Own must be a string
          'url':'http://example.org','headers':{'X-Own':null}       | /headers/X-Own must not be null
          'url':'http://example.org','headers':{'X-Own':'a\\r\\nb'} | /headers/X-Own must be at most 8192 printable ASCII characters
          'url':'http://example.org','headers':{'':'a'}             | /headers/ is not the name of a header
          'url':'http://example.org','headers':{'X Own':'a'}        | /headers/X Own is not the name of a header
          'url':'http://example.org','headers':{'a/${1+1}':'a'}     | /headers/a~1${1+1} is not the name of a header
          'url':'http://example.org','headers':{'Host':'a'}         | /headers/Host is a header that only Millpond sets
          'url':'http://example.org','headers':{'content-length':'1'}     | /headers/content-length is a header that only Millpond sets
          'url':'http://example.org','headers':{'Transfer-Encoding':'a'}  | /headers/Transfer-Encoding is a header that only Millpond sets
          'url':'http://example.org','headers':{'Connection':'a'}         | /headers/Connection is a header that only Millpond sets
          'url':'http://example.org','headers':{'Proxy-Authorization':''} | /headers/Proxy-Authorization is a header that only Millpond sets
          'url':'http://example.org','headers':{'MILLPOND-Job-Id':'a'}    | /headers/MILLPOND-Job-Id is a header that only Millpond sets
          'url':'http://example.org','headers':{'Idempotency-Key':'a'}    | /headers/Idempotency-Key is a header that only Millpond sets
          'url':'http://example.org','uri':'b'                      | /uri is unknown: did you mean "url"?
          """)
  void payloadsAreCheckedAtTheDoor(String fields, String violation) {
    String payload = "{" + (fields == null ? "" : fields.replace('\'', '"')) + "}";

    assertThat(handlers.check("http.request", payload))
        .extracting(found -> found.pointer() + " " + found.detail())
        .isEqualTo(violation == null ? List.of() : List.of(violation));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2xx       | 200 | true
          2xx       | 299 | true
          2xx       | 302 | false
          204       | 204 | true
          204       | 200 | false
          2xx, 404  | 404 | true
          404 ,5xx  | 503 | true
          2xx, 404  | 410 | false
          """)
  void successIsAClassOrAStatus(String successStatus, int status, boolean success)
      throws Exception {
    HttpRequest request =
        read(
            "{\"url\": \"http://example.org\", \"successStatus\": \"%s\"}"
                .formatted(successStatus));

    assertThat(request.isSuccess(status)).isEqualTo(success);
  }

  @Test
  void theUrlIsSentInAscii() throws Exception {
    HttpRequest request = read("{\"url\": \"http://example.org/grün?q=ü\"}");

    assertThat(request.uri()).hasToString("http://example.org/gr%C3%BCn?q=%C3%BC");
  }
}
