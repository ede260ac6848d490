package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Bad input is refused with the place that is wrong, and leaves nothing behind. */
class BadInputIT extends WholeApi {

  private static final String ANCIENT = "0193d5a0-0000-7000-8000-000000000000";
  private static final String FUTURE = "ffffffff-ffff-7fff-bfff-ffffffffffff";

  private static final String TENANT = "Millpond-Tenant";
  private static final String BATCH = "{\"jobs\": [" + NOOP + "]}";

  @Autowired private JdbcClient jdbc;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | ``",
        "{ | ``",
        "nonsense | ``",
        "[] | ``",
        "null | ``",
        "{} | /type",
        "{'type':'demo.noop'} {} | ``",
        "{'type':'demo.noop','type':'demo.noop'} | /type",
        "{'type':'demo.noop','payload':{'a':1,'a':2}} | /payload/a",
        "{'type':'demo.noop','typ':1} | /typ",
        "{'type':'demo.noop','retry':{'max':1}} | /retry/max",
        "{'type':7} | /type",
        "{'type':'Demo Noop'} | /type",
        "{'type':'demo.noop','priority':'4'} | /priority",
        "{'type':'demo.noop','priority':10} | /priority",
        "{'type':'demo.noop','priority':4.5} | /priority",
        "{'type':'demo.noop','priority':1e99} | /priority",
        "{'type':'demo.noop','priority':1e-400} | /priority",
        "{'type':'demo.noop','priority':4.00000000000000000001} | /priority",
        "{'type':'demo.noop','delay':'10s'} | /delay",
        "{'type':'demo.noop','delay':'-PT1S'} | /delay",
        "{'type':'demo.noop','delay':'P400D'} | /delay",
        "{'type':'demo.noop','runAt':'tomorrow'} | /runAt",
        "{'type':'demo.noop','runAt':'9999-01-01T00:00:00Z'} | /runAt",
        "{'type':'demo.noop','runAt':'2026-02-30T00:00:00Z'} | /runAt",
        "{'type':'demo.noop','startBy':'2000-01-01T00:00:00Z'} | /startBy",
        "{'type':'demo.noop','delay':'PT1S','runAt':'2000-01-01T00:00:00Z'} | /runAt",
        "{'type':'demo.noop','timeout':'PT0S'} | /timeout",
        "{'type':'demo.noop','timeout':'PT25H'} | /timeout",
        "{'type':'demo.noop','retry':{'maxAttempts':0}} | /retry/maxAttempts",
        "{'type':'demo.noop','retry':{'multiplier':0.5}} | /retry/multiplier",
        "{'type':'demo.noop','tenant':''} | /tenant",
        "{'type':'demo.noop','tenant':'a/b'} | /tenant",
        "{'type':'demo.noop','tenant':{'name':'a'}} | /tenant",
        "{'type':'demo.noop','labels':{'a':1}} | /labels/a",
        "{'type':'demo.noop','concurrency':'k'} | /concurrency",
        "{'type':'demo.noop','concurrency':{'limit':1}} | /concurrency/key",
        "{'type':'demo.noop','concurrency':{'key':'k'}} | /concurrency/limit",
        "{'type':'demo.noop','concurrency':{'key':'','limit':1}} | /concurrency/key",
        "{'type':'demo.noop','concurrency':{'key':7,'limit':1}} | /concurrency/key",
        "{'type':'demo.noop','concurrency':{'key':'k\\u0000','limit':1}} | /concurrency/key",
        "{'type':'demo.noop','concurrency':{'key':'k','limit':0}} | /concurrency/limit",
        "{'type':'demo.noop','concurrency':{'key':'k','limit':1001}} | /concurrency/limit",
        "{'type':'demo.noop','concurrency':{'key':'k','limit':1.5}} | /concurrency/limit",
        "{'type':'demo.noop','concurrency':{'key':'k','limit':1,'max':1}} | /concurrency/max",
        "{'type':'demo.noop','labels':{'a':'x\\u0000'}} | /labels/a",
        "{'type':'demo.noop','payload':{'a':'\\ud800'}} | /payload/a",
        "{'type':'demo.noop','unique':'k'} | /unique",
        "{'type':'demo.noop','unique':{}} | /unique/key",
        "{'type':'demo.noop','unique':{'key':''}} | /unique/key",
        "{'type':'demo.noop','unique':{'key':'x\\u0000'}} | /unique/key",
        "{'type':'demo.noop','unique':{'key':'\\ud800'}} | /unique/key",
        "{'type':'demo.noop','unique':{'key':'k','until':'done'}} | /unique/until",
        "{'type':'demo.noop','unique':{'key':'k','until':'PT0.5S'}} | /unique/until",
        "{'type':'demo.noop','unique':{'key':'k','until':'P367D'}} | /unique/until",
        "{'type':'demo.noop','unique':{'key':'k','onConflict':'ignore'}} | /unique/onConflict",
        "{'type':'demo.noop','unique':{'key':'k','scope':'queue'}} | /unique/scope",
        "{'type':'demo.noop','dependsOn':'a'} | /dependsOn",
        "{'type':'demo.noop','dependsOn':['a']} | /dependsOn/0",
        "{'type':'demo.noop','dependsOn':[null]} | /dependsOn/0",
        "{'type':'demo.noop','dependsOn':['" + ANCIENT + "']} | /dependsOn/0",
        "{'type':'demo.noop','dependsOn':['" + ANCIENT + "','" + ANCIENT + "']} | /dependsOn/1",
        "{'type':'demo.noop','onDependencyFailure':'stop'} | /onDependencyFailure",
        "{'type':'demo.noop','ref':'a'} | /ref",
        "{'type':'demo.sleep','payload':{'duration':'long'}} | /payload/duration",
        "{'type':'demo.sleep','payload':{'duration':'PT1S','step':1}} | /payload/step",
      })
  void aBadJobIsRefusedAtItsPlace(String job, String pointer) throws IOException {
    Answer answer = post(jobsOfTheQueue(), job.replace('\'', '"'));
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.body()).contains("\"pointer\":\"" + pointer + "\"");
    assertNothingIsLeft();
  }

  @Test
  void whatIsTooDeepOrTooLargeIsRefused() throws IOException {
    String deep = "[".repeat(5_000) + "]".repeat(5_000);
    assertThat(post(jobsOfTheQueue(), withPayload(deep)).status()).isEqualTo(400);
    String payload = "\"" + "x".repeat(256 * 1024) + "\"";
    assertThat(post(jobsOfTheQueue(), withPayload(payload)).problem())
        .isEqualTo("payload-too-large");
    String body = withPayload("\"" + "x".repeat(600 * 1024) + "\"");
    assertThat(post(jobsOfTheQueue(), body).problem()).isEqualTo("payload-too-large");
    String many = "{\"jobs\": [" + (NOOP + ",").repeat(1_000) + NOOP + "]}";
    assertThat(post(jobsOfTheQueue() + "/batch", many).problem()).isEqualTo("batch-too-large");
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'ref':''} | /jobs/0/ref",
        "{'ref':'" + ANCIENT + "'} | /jobs/0/ref",
        "{'ref':'a'},{'ref':'a'} | /jobs/1/ref",
        "{'ref':'a','dependsOn':['a']} | /jobs/0/dependsOn/0",
        "{'ref':'a'},{'dependsOn':['b']} | /jobs/1/dependsOn/0",
        "{'ref':'a'},{'dependsOn':['a','a']} | /jobs/1/dependsOn/1",
        "{'ref':'a','dependsOn':['c']},{'ref':'b','dependsOn':['a']},{'ref':'c','dependsOn':['b']}"
            + " | /jobs/1/dependsOn/0",
        "{'ref':'a'},{'dependsOn':['a','" + FUTURE + "']} | /jobs/1/dependsOn/1",
        "{'ref':'a','unique':{'key':'k'}},{'dependsOn':['a']} | /jobs/1/dependsOn/0",
      })
  void badDependenciesRefuseTheBatchAtTheirPlace(String jobs, String pointer) throws IOException {
    String body =
        "{\"jobs\": [" + jobs.replaceAll("\\{(?='(ref|dependsOn))", "{'type':'demo.noop',") + "]}";
    Answer answer = post(jobsOfTheQueue() + "/batch", body.replace('\'', '"'));
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.body()).contains("\"pointer\":\"" + pointer + "\"");
    assertNothingIsLeft();
  }

  @Test
  void tooManyDependenciesAreRefused() throws IOException {
    String names =
        IntStream.range(0, 10_001)
            .mapToObj("\"0193d5a0-0000-7000-8000-%012d\""::formatted)
            .collect(Collectors.joining(","));
    String job = "{\"type\": \"demo.noop\", \"dependsOn\": [" + names + "]}";
    assertThat(post(jobsOfTheQueue(), job).body()).contains("\"pointer\":\"/dependsOn\"");
    String most = job.replaceFirst("\"[^\"]*\",\"0193d5a0", "\"0193d5a0");
    String batch = "{\"jobs\": [" + String.join(",", most, most, most) + "]}";
    assertThat(post(jobsOfTheQueue() + "/batch", batch).body())
        .contains("\"pointer\":\"/jobs/2/dependsOn\"");
    assertNothingIsLeft();
  }

  private static String withPayload(String payload) {
    return "{\"type\": \"demo.noop\", \"payload\": " + payload + "}";
  }

  @Test
  void anUnknownTypeIsToldTheKnownOnes() throws IOException {
    Answer answer = post(jobsOfTheQueue(), "{\"type\": \"demo.nop\"}");
    assertThat(answer.problem()).isEqualTo("unknown-type");
    assertThat(answer.json().path("knownTypes").toString()).contains("demo.noop", "http.request");
    assertNothingIsLeft();
  }

  @Test
  void aBodyThatIsNotJsonIsNotRead() throws IOException {
    assertThat(send("POST", jobsOfTheQueue(), "Content-Type", "text/plain").status())
        .isEqualTo(415);
    assertThat(send("POST", jobsOfTheQueue()).status()).isEqualTo(415);
    assertThat(send("PUT", "/v1/queues/" + queue).status()).isEqualTo(415);
    assertNothingIsLeft();
  }

  @Test
  void anUnusableKeyIsRefused() throws IOException {
    for (String key : new String[] {"", "two words", "\"open", "k".repeat(256)}) {
      assertThat(post(jobsOfTheQueue(), NOOP, "Idempotency-Key", key).problem())
          .as(key)
          .isEqualTo("invalid-idempotency-key");
    }
    assertThat(
            post(jobsOfTheQueue(), NOOP, "Idempotency-Key", "a", "Idempotency-Key", "b").status())
        .isEqualTo(400);
    assertNothingIsLeft();
  }

  @Test
  void anUnusableTenantIsRefused() throws IOException {
    for (String path : List.of(jobsOfTheQueue(), jobsOfTheQueue() + "/batch", "/v1/jobs")) {
      for (String tenant : List.of("", "two words", "-dash", "a".repeat(64))) {
        Answer answer = post(path, path.endsWith("batch") ? BATCH : NOOP, TENANT, tenant);
        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
        assertThat(answer.body()).contains("\"header\":\"Millpond-Tenant\"");
      }
      Answer twice = post(path, path.endsWith("batch") ? BATCH : NOOP, TENANT, "a", TENANT, "a");
      assertThat(twice.body()).contains("\"header\":\"Millpond-Tenant\"");
    }
    assertThat(
            post(jobsOfTheQueue(), "{\"type\":\"demo.noop\",\"tenant\":\"b\"}", TENANT, "a").body())
        .contains("\"pointer\":\"/tenant\"");
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/jobs/" + ANCIENT + ", 410",
    "GET, /v1/jobs/" + ANCIENT + "/log, 410",
    "POST, /v1/jobs/" + ANCIENT + "/cancel, 410",
    "POST, /v1/jobs/" + ANCIENT + "/retry, 410",
    "DELETE, /v1/jobs/" + ANCIENT + ", 410",
    "GET, /v1/jobs/" + FUTURE + ", 404",
    "POST, /v1/jobs/" + FUTURE + "/cancel, 404",
    "DELETE, /v1/jobs/" + FUTURE + ", 404",
    "GET, /v1/jobs/seven, 404",
    "GET, /v1/queues/nowhere, 404",
    "GET, /v1/queues/UPPER, 404",
    "PATCH, /v1/jobs, 405",
    "DELETE, /v1/queues/nowhere, 404",
    "PATCH, /v1/queues/default, 405",
    "PUT, /v1/jobs/" + ANCIENT + ", 405",
  })
  void whatIsNotThereIsNotFound(String method, String path, int status) throws IOException {
    Answer answer = send(method, path);
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    if (status == 405) {
      assertThat(answer.header("Allow")).isNotEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/jobs?limit=0, limit",
    "/v1/jobs?limit=501, limit",
    "/v1/jobs?limit=050, limit",
    "/v1/jobs?type=UPPER, type",
    "/v1/jobs?id=%20" + ANCIENT + ", id",
    "/v1/jobs?limit=1&limit=2, limit",
    "/v1/jobs?cursor=AAAA, cursor",
    "/v1/jobs?state=done, state",
    "/v1/jobs?label=order, label",
    "/v1/jobs?submittedAfter=yesterday, submittedAfter",
    "/v1/jobs?include=secrets, include",
    "/v1/jobs?id=seven, id",
    "/v1/jobs?tenant=-dash, tenant",
    "/v1/jobs?tenant=a&tenant=b, tenant",
    "/v1/jobs?stat=queued, knownFilters",
    "/v1/jobs?queue=UPPER, queue",
    "/v1/queues?state=queued, knownFilters",
    "/v1/queues?limit=x, limit",
    "/v1/queues?cursor=AAAA, cursor",
  })
  void aBadQueryIsRefused(String path, String names) throws IOException {
    Answer answer = get(path);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.body()).contains(names);
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /v1/jobs?delay=PT1S",
    "POST, /v1/queues/typo/jobs?delay",
    "POST, /v1/queues/typo/jobs/batch?atomic=false&a=b",
    "PUT, /v1/queues/typo?cap=1",
    "GET, /v1/queues/typo?%41",
    "GET, /v1/jobs/" + FUTURE + "?include=log",
    "GET, /v1/jobs/" + FUTURE + "/log?limit=1",
    "POST, /v1/jobs/" + FUTURE + "/cancel?reason=none",
    "POST, /v1/jobs/" + FUTURE + "/retry?now=",
    "DELETE, /v1/jobs/" + FUTURE + "?force=true",
  })
  void aQueryWhereNoneIsReadIsRefused(String method, String path) throws IOException {
    Answer answer = send(method, path, "Content-Type", "application/json");
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.problem()).isEqualTo("unknown-filter");
    assertThat(answer.json().path("knownFilters").toString()).isEqualTo("[]");
    assertThat(api.get("/v1/queues/typo").status()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'cap':-1} | /cap",
        "{'cap':'9'} | /cap",
        "{'cap':1e12} | /cap",
        "{'cap':1,'cap':2} | /cap",
        "{'concurrency':0} | /concurrency",
        "{'cap':5,'concurrency':1.5} | /concurrency",
        "{'cap':5,'maxWait':'PT0.999S'} | /maxWait",
        "{'cap':5,'maxWait':'PT24H0.001S'} | /maxWait",
        "{'cap':5,'maxWait':30} | /maxWait",
        "{'cap':5,'maxwait':'PT30S'} | /maxwait",
      })
  void badSettingsChangeNothing(String settings, String pointer) throws IOException {
    put("/v1/queues/" + queue, "{\"cap\": 7}");
    Answer answer = put("/v1/queues/" + queue, settings.replace('\'', '"'));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.body()).contains("\"pointer\":\"" + pointer + "\"");
    assertThat(get("/v1/queues/" + queue).json().path("cap").asInt()).isEqualTo(7);
  }

  private void assertNothingIsLeft() {
    assertThat(
            jdbc.sql("select count(*) from job where queue = :queue")
                .param("queue", queue)
                .query(Long.class)
                .single())
        .isZero();
  }
}
