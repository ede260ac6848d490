package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The small readers of headers and queries. */
class EdgesTest {

  private static final KnownHosts HOSTS = new KnownHosts(List.of("Millpond.example", "fd00::1"));

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "abc | abc",
        "\"abc\" | abc",
        "`  abc  ` | abc",
        "\"a\\\"b\" | a\"b",
        "\"a\\\\b\" | a\\b",
        "a\"b | a\"b",
        "8e03978e-40d5-43e8-bc93-6894a57f9324 | 8e03978e-40d5-43e8-bc93-6894a57f9324",
      })
  void bareAndQuotedSpellingsAreTheSameKey(String header, String key) {
    assertThat(IdempotencyKey.parse(header).value()).isEqualTo(key);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "  ",
        "\"\"",
        "\"",
        "\"abc",
        "\"a\"b",
        "\"a\\b\"",
        "a b",
        "\"a b\"",
        "é",
        "\u007f",
        "a\tb"
      })
  void badKeysAreRefused(String header) {
    assertThatThrownBy(() -> IdempotencyKey.parse(header)).isInstanceOf(ProblemException.class);
  }

  @Test
  void aKeyHasAtMost255Characters() {
    assertThat(IdempotencyKey.parse("k".repeat(255)).value()).hasSize(255);
    assertThatThrownBy(() -> IdempotencyKey.parse("k".repeat(256)))
        .isInstanceOf(ProblemException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:8080",
        "millpond.example:443",
        "[fd00::1]:80"
      })
  void knownHostsPassWithAnyPort(String host) {
    assertThat(HOSTS.know(host)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "evil.example", "localhost.evil.example", "evil.example:8080", "localhost:",
            "localhost:x",
        "::1", "[::2]", "127.0.0.2", "a@localhost", "localhost/", "localhost:80:80"
      })
  void otherHostsDoNot(String host) {
    assertThat(HOSTS.know(host)).isFalse();
    assertThat(HOSTS.know(null)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "http://localhost:8080, localhost:8080, true",
    "HTTP://LOCALHOST:8080, localhost:8080, true",
    "http://localhost, localhost, true",
    "http://localhost, localhost:80, true",
    "https://millpond.example, millpond.example:443, true",
    "http://localhost:3000, localhost:8080, false",
    "http://localhost, localhost:8080, false",
    "http://127.0.0.1:8080, localhost:8080, false",
    "http://evil.example, localhost:8080, false",
    "http://evil.example, evil.example, false",
    "null, localhost:8080, false",
    "'', localhost:8080, false",
    "http://, localhost:8080, false",
    "http://localhost:8080/x, localhost:8080, false",
  })
  void anOriginIsTheServicesOwnOrForeign(String origin, String host, boolean own) {
    assertThat(HOSTS.isOwn(origin, host)).isEqualTo(own);
  }

  @Test
  void aCursorComesBackAndADamagedOneDoesNot() {
    String last = UUID.randomUUID().toString();
    String token = Cursor.JOBS.encode(last);
    assertThat(token).matches("[A-Za-z0-9_-]{54}");
    assertThat(Cursor.JOBS.decode(token)).isEqualTo(last);
    for (String bad :
        List.of(
            "",
            "x",
            "!",
            token + "A",
            token.substring(1),
            "_" + token.substring(1),
            last,
            Cursor.QUEUES.encode(last))) {
      assertThat(
              catchThrowableOfType(ProblemException.class, () -> Cursor.JOBS.decode(bad))
                  .document()
                  .type())
          .isEqualTo("/problems/invalid-cursor");
    }
  }

  @Test
  void aQueryHasDefaultsAndKnownFilters() {
    String last = "invoices";
    assertThat(ListQuery.of(Map.of(), Cursor.QUEUES, "state"))
        .isEqualTo(new ListQuery(50, null, Map.of()));
    Map<String, String[]> query =
        Map.of(
            "limit", new String[] {"500"},
            "cursor", new String[] {Cursor.QUEUES.encode(last)},
            "state", new String[] {"queued"});
    ListQuery read = ListQuery.of(query, Cursor.QUEUES, "state", "type");
    assertThat(read).isEqualTo(new ListQuery(500, last, Map.of("state", List.of("queued"))));
    assertThat(read.filter("state")).contains("queued");
    assertThat(read.filter("type")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "501", "-1", "", "x", "1.5", "9999999999"})
  void aBadLimitIsRefused(String limit) {
    assertThatThrownBy(() -> ListQuery.of(Map.of("limit", new String[] {limit}), Cursor.JOBS))
        .isInstanceOfSatisfying(
            ProblemException.class, e -> assertThat(e.document().detail()).startsWith("limit: "));
  }

  @Test
  void anUnknownFilterIsRefusedWithTheKnownOnes() {
    ProblemDocument problem =
        catchThrowableOfType(
                ProblemException.class,
                () -> ListQuery.of(Map.of("sate", new String[] {"x"}), Cursor.JOBS, "state"))
            .document();
    assertThat(problem.type()).isEqualTo("/problems/unknown-filter");
    assertThat(problem.extensions())
        .containsEntry("knownFilters", List.of("cursor", "limit", "state"));
    assertThat(problem.detail()).contains("did you mean \"state\"?");
  }

  @Test
  void aBrokenTraceparentIsIgnored() {
    String good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assertThat(Traceparent.parse(good)).isEqualTo(good);
    for (String bad :
        List.of(
            "", "x", good + "-x", good.replace("00-", "ff-"), good.replaceAll("[1-9a-f]", "0"))) {
      assertThat(Traceparent.parse(bad)).isNull();
    }
    assertThat(Traceparent.parse(null)).isNull();
  }
}
