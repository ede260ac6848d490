package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millpond.admission.DependsOn;
import dev.millpond.admission.DependsOn.Known;
import dev.millpond.admission.Submission;
import dev.millpond.admission.Unique;
import dev.millpond.admission.Unique.OnConflict;
import dev.millpond.admission.Unique.Until;
import dev.millpond.job.Concurrency;
import dev.millpond.queue.RetryPolicy;
import dev.millpond.rest.SubmissionReader.Context;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SubmissionReaderTest {

  private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
  private static final Context NO_HEADERS = new Context(NOW, null, null);

  @Test
  void aTypeIsEnoughAndTheRestHasDefaults() {
    assertThat(read("{\"type\":\"demo.noop\"}"))
        .isEqualTo(
            new Submission(
                "demo.noop",
                null,
                4,
                null,
                null,
                null,
                Duration.ofMinutes(5),
                RetryPolicy.DEFAULT,
                null,
                Map.of(),
                null,
                null,
                null,
                null,
                DependsOn.NOTHING));
  }

  @Test
  void everyFieldIsRead() {
    Submission job =
        read(
            """
            {"type": "http.request", "payload": {"n": 1.50, "s": "é"}, "priority": 9, "delay": "PT10S",
             "startBy": "2026-11-23T16:00:00+01:00", "timeout": "PT1M",
             "retry": {"maxAttempts": 3, "initialDelay": "PT0S", "multiplier": 1.5, "maxDelay": "P1D"},
             "tenant": "Acme-1", "labels": {"order": "17"}, "callback": {"url": "https://shop.example/done?n=1"},
             "unique": {"key": "invoice-17", "until": "PT1H", "onConflict": "replace"},
             "concurrency": {"key": "acme/é", "limit": 2},
             "dependsOn": ["01932F7C-0000-7000-8000-000000000001"], "onDependencyFailure": "run"}
            """);
    assertThat(job)
        .isEqualTo(
            new Submission(
                "http.request",
                "{\"n\": 1.50, \"s\": \"é\"}",
                9,
                Duration.ofSeconds(10),
                null,
                Instant.parse("2026-11-23T15:00:00Z"),
                Duration.ofMinutes(1),
                new RetryPolicy(3, Duration.ZERO, 1.5, Duration.ofDays(1)),
                "Acme-1",
                Map.of("order", "17"),
                null,
                "https://shop.example/done?n=1",
                new Unique("invoice-17", Until.EXPIRED, Duration.ofHours(1), OnConflict.REPLACE),
                new Concurrency("acme/é", 2),
                new DependsOn(
                    null,
                    List.of(new Known(UUID.fromString("01932f7c-0000-7000-8000-000000000001"))),
                    true)));
  }

  @Test
  void nullStandsForAFieldThatWasLeftOut() {
    assertThat(
            read(
                "{\"type\":\"a\",\"payload\":null,\"priority\":null,\"retry\":{\"maxDelay\":null}}"))
        .isEqualTo(read("{\"type\":\"a\"}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ \"a\" : [ 1 , 2.0e+3 , -0 ] }",
        "[]",
        "\"text \\u00e9 \\ud83d\\ude00 😀\"",
        "0",
        "-1.5E400",
        "12345678901234567890123",
        "true",
        "false",
        "{\"\":{}}"
      })
  void thePayloadIsKeptAsItWasSent(String payload) {
    assertThat(read("{\"payload\": " + payload + " , \"type\":\"a\"}").payload())
        .isEqualTo(payload);
    assertThat(read("{\"type\":\"a\",\"payload\":" + payload + "}").payload()).isEqualTo(payload);
  }

  static Stream<Arguments> wrongFields() {
    return Stream.of(
            "{} | /type",
            "{'type':null} | /type",
            "{'type':7} | /type",
            "{'type':'A'} | /type",
            "{'type':''} | /type",
            "{'type':'a','typo':1} | /typo",
            "{'type':'a','tenant':''} | /tenant",
            "{'type':'a','tenant':'.a'} | /tenant",
            "{'type':'a','tenant':'a b'} | /tenant",
            "{'type':'a','tenant':7} | /tenant",
            "{'type':'a','tenant':'%s'} | /tenant".formatted("a".repeat(64)),
            "{'type':'a','type':'b'} | /type",
            "{'type':'a','priority':10} | /priority",
            "{'type':'a','priority':-1} | /priority",
            "{'type':'a','priority':'4'} | /priority",
            "{'type':'a','priority':4.0} | /priority",
            "{'type':'a','priority':99999999999999999999} | /priority",
            "{'type':'a','priority':true} | /priority",
            "{'type':'a','callback':'https://shop.example/'} | /callback",
            "{'type':'a','callback':{}} | /callback/url",
            "{'type':'a','callback':{'url':null}} | /callback/url",
            "{'type':'a','callback':{'url':'/done'}} | /callback/url",
            "{'type':'a','callback':{'url':'ftp://shop.example/'}} | /callback/url",
            "{'type':'a','callback':{'url':'https://user@shop.example/'}} | /callback/url",
            "{'type':'a','callback':{'url':'https://shop.example/#a'}} | /callback/url",
            "{'type':'a','callback':{'url':'https://shop.example/%s'}} | /callback/url"
                .formatted("a".repeat(8_192)),
            "{'type':'a','callback':{'url':'https://shop.example/','uri':1}} | /callback/uri",
            "{'type':'a','delay':10} | /delay",
            "{'type':'a','delay':'10s'} | /delay",
            "{'type':'a','delay':'P'} | /delay",
            "{'type':'a','delay':'PT'} | /delay",
            "{'type':'a','delay':'P1DT'} | /delay",
            "{'type':'a','delay':'P1Y'} | /delay",
            "{'type':'a','delay':'P1M'} | /delay",
            "{'type':'a','delay':'P1W'} | /delay",
            "{'type':'a','delay':'PT-1S'} | /delay",
            "{'type':'a','delay':'-PT1S'} | /delay",
            "{'type':'a','delay':'P367D'} | /delay",
            "{'type':'a','delay':'PT999999999999999H'} | /delay",
            "{'type':'a','delay':'PT1S','runAt':'2026-11-23T13:00:00Z'} | /runAt",
            "{'type':'a','runAt':'2026-11-23T13:00:00'} | /runAt",
            "{'type':'a','runAt':'2026-11-23T13:00Z'} | /runAt",
            "{'type':'a','runAt':'2026-11-23'} | /runAt",
            "{'type':'a','runAt':'2026-13-23T13:00:00Z'} | /runAt",
            "{'type':'a','runAt':'2026-02-30T13:00:00Z'} | /runAt",
            "{'type':'a','runAt':'2028-11-23T13:00:00Z'} | /runAt",
            "{'type':'a','runAt':1764000000} | /runAt",
            "{'type':'a','startBy':'2026-11-23T12:00:00Z'} | /startBy",
            "{'type':'a','startBy':'2026-11-23T12:01:00Z','delay':'PT2M'} | /startBy",
            "{'type':'a','timeout':'PT0.09S'} | /timeout",
            "{'type':'a','timeout':'PT24H0.1S'} | /timeout",
            "{'type':'a','retry':5} | /retry",
            "{'type':'a','retry':{'maxAttempts':0}} | /retry/maxAttempts",
            "{'type':'a','retry':{'maxAttempts':101}} | /retry/maxAttempts",
            "{'type':'a','retry':{'attempts':1}} | /retry/attempts",
            "{'type':'a','retry':{'initialDelay':'PT25H'}} | /retry/initialDelay",
            "{'type':'a','retry':{'initialDelay':'PT11M'}} | /retry/maxDelay",
            "{'type':'a','retry':{'multiplier':0.5}} | /retry/multiplier",
            "{'type':'a','retry':{'multiplier':1e999999999}} | /retry/multiplier",
            "{'type':'a','retry':{'multiplier':'2'}} | /retry/multiplier",
            "{'type':'a','labels':[]} | /labels",
            "{'type':'a','labels':{'a':1}} | /labels/a",
            "{'type':'a','labels':{'a':null}} | /labels/a",
            "{'type':'a','labels':{'':'x'}} | /labels/",
            "{'type':'a','labels':{'a':'1','a':'2'}} | /labels/a",
            "{'type':'a','labels':{'a/b~c':1}} | /labels/a~1b~0c",
            "{'type':'a','labels':{'a':'\\u0000'}} | /labels/a",
            "{'type':'a','labels':{'\\u0000':'a'}} | /labels/\uFFFD",
            "{'type':'a','payload':{'x':[0,{'k':1,'k':2}]}} | /payload/x/1/k",
            "{'type':'a','payload':['\\u0000']} | /payload/0",
            "{'type':'a','payload':['\\ud800']} | /payload/0",
            "{'type':'a','payload':['\\udc00\\ud800']} | /payload/0",
            "{'type':'a','payload':{'\\ud800':1}} | /payload",
            "{'type':'a','unknown':{'k':1,'k':2}} | /unknown,/unknown/k",
            "{'type':1,'priority':'x','delay':2,'huh':0} | /type,/priority,/delay,/huh",
            "[] | ''",
            "'x' | ''",
            "null | ''")
        .map(line -> line.replace('\'', '"').split(" \\| ", -1))
        .map(parts -> Arguments.of(parts[0], List.of(parts[1].replace("\"\"", "").split(",", -1))));
  }

  @ParameterizedTest
  @MethodSource("wrongFields")
  void eachWrongFieldIsNamedByItsPointer(String body, List<String> pointers) {
    ProblemDocument problem = refusal(body);
    assertThat(problem.type()).isEqualTo("/problems/invalid-request");
    assertThat(pointers(problem)).containsExactlyInAnyOrderElementsOf(pointers);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | body is required",
        "`  ` | body is required",
        "{ | too early",
        "{\"type\":\"a\" | too early",
        "{\"type\":\"a | too early",
        "{\"type\":\"a\"} x | broken at line 1, column",
        "{\"type\":\"a\"} {} | something follows",
        "{\"type\":\"a\",} | broken",
        "{'type':'a'} | broken",
        "{\"type\":NaN} | broken",
        "{\"type\":-Infinity} | broken",
        "{\"payload\":01} | broken",
        "{\"payload\":+1} | broken",
        "{\"payload\":\"\t\"} | broken",
        "// c | broken",
        "{\"payload\":\"\\x\"} | broken",
      })
  void whatIsNoJsonIsRefused(String body, String detail) {
    assertThat(refusal(body).detail()).contains(detail);
  }

  @Test
  void theBreakIsNamedByItsPointer() {
    assertThat(pointers(refusal("{\"type\":\"a\",\"payload\":{\"list\":[1,2,?]}}")))
        .containsExactly("/payload/list/2");
  }

  @Test
  void aPayloadMayBeNestedToTheLimitAndNotBeyond() {
    String deep = "[".repeat(StrictJson.MAX_DEPTH) + "0" + "]".repeat(StrictJson.MAX_DEPTH);
    assertThat(read("{\"type\":\"a\",\"payload\":" + deep + "}").payload()).isEqualTo(deep);
    assertThat(pointers(refusal("{\"type\":\"a\",\"payload\":[" + deep + "]}")))
        .containsExactly("/payload" + "/0".repeat(StrictJson.MAX_DEPTH + 1));
    String endless = "{\"type\":\"a\",\"payload\":" + "[".repeat(400_000);
    assertThat(refusal(endless).type()).isEqualTo("/problems/invalid-request");
  }

  @Test
  void aPayloadMayHaveTheLimitAndNotMore() {
    String most = '"' + "x".repeat(SubmissionDraft.MAX_PAYLOAD_BYTES - 2) + '"';
    assertThat(read("{\"type\":\"a\",\"payload\":" + most + "}").payload()).isEqualTo(most);
    ProblemDocument problem = refusal("{\"type\":\"a\",\"payload\":[" + most + "]}");
    assertThat(problem.type()).isEqualTo("/problems/payload-too-large");
    assertThat(problem.extensions()).containsEntry("limit", 262_144);
    assertThat(pointers(problem)).containsExactly("/payload");
  }

  @Test
  void labelsHaveBounds() {
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < 17; i++) {
      labels.add("\"k" + i + "\":\"v\"");
    }
    assertThat(
            read("{\"type\":\"a\",\"labels\":{" + String.join(",", labels.subList(0, 16)) + "}}")
                .labels())
        .hasSize(16);
    assertThat(pointers(refusal("{\"type\":\"a\",\"labels\":{" + String.join(",", labels) + "}}")))
        .containsExactly("/labels");
    String key = "k".repeat(64);
    assertThat(pointers(refusal("{\"type\":\"a\",\"labels\":{\"" + key + "\":\"v\"}}")))
        .containsExactly("/labels/" + key);
    assertThat(pointers(refusal("{\"type\":\"a\",\"labels\":{\"k\":\"" + "v".repeat(256) + "\"}}")))
        .containsExactly("/labels/k");
  }

  @Test
  void theHeadersTenantIsThatOfAJobWhichNamesNone() {
    Context acme = new Context(NOW, "acme", null);
    for (String job :
        List.of(
            "{\"type\":\"a\"}",
            "{\"type\":\"a\",\"tenant\":null}",
            "{\"type\":\"a\",\"tenant\":\"acme\"}")) {
      assertThat(SubmissionReader.read(job.getBytes(UTF_8), acme).tenant()).isEqualTo("acme");
    }
    ProblemDocument problem =
        catchThrowableOfType(
                ProblemException.class,
                () ->
                    SubmissionReader.read(
                        "{\"type\":\"a\",\"tenant\":\"other\"}".getBytes(UTF_8), acme))
            .document();
    assertThat(pointers(problem)).containsExactly("/tenant");
    assertThat(problem.detail()).contains("Millpond-Tenant", "acme");
  }

  @Test
  void aTypoIsAnsweredWithTheNameThatWasMeant() {
    assertThat(refusal("{\"type\":\"a\",\"runat\":1}").detail())
        .contains("did you mean \"runAt\"?");
  }

  @Test
  void aBodyFullOfErrorsIsAnsweredWithTheFirstOnes() {
    List<String> fields = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      fields.add("\"f" + i + "\":0");
    }
    assertThat(pointers(refusal("{" + String.join(",", fields) + "}")))
        .hasSize(StrictJson.MAX_ERRORS);
  }

  private static Submission read(String body) {
    return SubmissionReader.read(body.getBytes(UTF_8), NO_HEADERS);
  }

  private static ProblemDocument refusal(String body) {
    return refusal(body.getBytes(UTF_8));
  }

  private static ProblemDocument refusal(byte[] body) {
    return catchThrowableOfType(
            ProblemException.class, () -> SubmissionReader.read(body, NO_HEADERS))
        .document();
  }

  static List<String> pointers(ProblemDocument problem) {
    return ((List<?>) problem.extensions().getOrDefault("errors", List.of()))
        .stream().map(error -> String.valueOf(((Map<?, ?>) error).get("pointer"))).toList();
  }
}
